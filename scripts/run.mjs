/** `node scripts/run.mjs FILE.ts [...]`: set-up, then a program of this repository (benchmarks, tools). */
import { setUp } from "./setup/set-up.mjs";
import { main, startProgram } from "./setup/start.mjs";

await main(async () => {
  const [file, ...parameters] = process.argv.slice(2);
  if (!file) {
    process.stderr.write("Usage: node scripts/run.mjs FILE.ts [parameters]\n");
    return 2;
  }
  const { env } = await setUp();
  return await startProgram(file, parameters, env);
});
