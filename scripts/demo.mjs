/** `npm run demo`: set-up with nothing but Node and Git, then demo/run.ts. */
import { setUp } from "./setup/set-up.mjs";
import { main, startProgram } from "./setup/start.mjs";

await main(async () => {
  const { env, sandboxing } = await setUp();
  if (sandboxing.kind === "docker") return await startProgram("demo/run.ts", process.argv.slice(2), env);
  process.stderr.write(
    `  ! ${sandboxing.reason}: the demo runs commands as plain processes in a temporary folder (EXECUTION_MODE=local)\n`,
  );
  return await startProgram("demo/run.ts", process.argv.slice(2), { ...env, EXECUTION_MODE: "local" });
});
