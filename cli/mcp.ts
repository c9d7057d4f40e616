/** `mergewright mcp`: the Model Context Protocol over standard input and output, for a program that starts us. */
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createChanges } from "../api/changes.ts";
import { loadConfig } from "../config/load.ts";
import { createMcpServer } from "../memory/mcp/server.ts";
import { createLog } from "../workers/log.ts";
import { createMemory } from "../workers/memory.ts";
import { createForges } from "../workers/ports.ts";
import { command } from "./command.ts";
import { DONE, FAILED } from "./errors.ts";
import { openRequests } from "./mcp/open-requests.ts";
import { mcpParts } from "./mcp/parts.ts";
import { runsAnew } from "./mcp/runs.ts";
import { checkLogin } from "./login.ts";
import { byOption } from "./message.ts";

/** The protocol's own answers are far below; a client that sends more has lost the line breaks. */
const MAX_MESSAGE_BYTES = 4_000_000;

export default command({
  args: { by: byOption },
  async run(args, terminal) {
    checkLogin(args.by, "mcp");
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    const log = createLog({ level: config.logLevel, secrets: config.secrets(), output: process.stderr });
    for (const warning of config.warnings) log.warn(warning);
    // Standard output is the protocol's: a line of anything else would end the conversation.
    console.log = console.info = console.debug = console.error;

    const memory = createMemory(config, (message) => log.warn(message));
    const runs = runsAnew(config);
    const forge = createForges(config, log);
    const changes = createChanges(
      runs.runs,
      (repository, login) => forge.permission(repository, login),
      "command-line",
    );
    const server = createMcpServer(mcpParts(config, terminal, { runs: runs.runs, changes, memory, log, by: args.by }));
    const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: MAX_MESSAGE_BYTES });
    server.server.onerror = (error) => log.warn({ err: error }, "a message that is none of the protocol");
    const ended = new Promise<"closed" | "told">((resolve) => {
      server.server.onclose = () => resolve("closed");
      // The client closes our standard input when it is done with us.
      process.stdin.once("end", () => void requests.answered().then(() => resolve("told")));
      for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve("told"));
    });
    await server.connect(transport);
    const requests = openRequests(transport);
    log.info("the tools are served on standard input and output");
    const how = await ended;
    await server.close();
    await memory.close();
    await runs.close();
    return how === "told" ? DONE : FAILED;
  },
});
