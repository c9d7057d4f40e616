/** `npm start`: set-up, then `mergewright start`, which reads its configuration (and `.env`) itself. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import util from "node:util";
import { checkNodeVersion } from "./setup/node-version.mjs";
import { root, setUp } from "./setup/set-up.mjs";
import { main, startProgram } from "./setup/start.mjs";

await main(async () => {
  checkNodeVersion();
  const file = join(root, ".env");
  const written = existsSync(file) ? util.parseEnv(readFileSync(file, "utf8")) : {};
  const env = { ...written, ...process.env };
  await setUp({ env, needsTemporalCli: !env.TEMPORAL_ADDRESS });
  // What set-up found is not handed on as environment: that would win over the person's own configuration.
  return await startProgram("bin/mergewright.mjs", ["start", ...process.argv.slice(2)]);
});
