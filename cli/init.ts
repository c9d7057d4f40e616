/** `mergewright init`: writes a commented `mergewright.yaml`. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { DEFAULT_FILE } from "../config/settings-file.ts";
import { settingsTemplate } from "../config/template.ts";
import { command, jsonOption } from "./command.ts";
import { CommandFailed, DONE } from "./errors.ts";

export default command({
  args: {
    force: { type: "boolean", description: "Overwrite the file when it is there" },
    json: jsonOption,
  },
  async run(args, terminal) {
    const name = terminal.env.MERGEWRIGHT_CONFIG?.trim() || DEFAULT_FILE;
    const path = resolve(terminal.cwd, name);
    try {
      writeFileSync(path, settingsTemplate(), { flag: args.force ? "w" : "wx" });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST")
        throw new CommandFailed(
          "exists",
          `${name} is there already. Nothing was changed; use --force to overwrite it.`,
        );
      throw new CommandFailed(
        "cannot-write",
        `${name} cannot be written (${code}). Correct the folder's permissions, or MERGEWRIGHT_CONFIG.`,
        { cause: error },
      );
    }
    if (args.json) terminal.document({ file: path });
    else {
      terminal.out(`${name} is written.`);
      terminal.out(
        "Next: set ANTHROPIC_API_KEY, GITHUB_TOKEN and GITHUB_WEBHOOK_SECRET in the environment or in .env, then `mergewright doctor`.",
      );
    }
    return DONE;
  },
});
