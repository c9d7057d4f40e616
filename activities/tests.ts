/** One test command in one clean sandbox: the evidence that a fix is a fix. */
import { SandboxLost } from "../domain/errors.ts";
import { runPrefix } from "../domain/ids.ts";
import type { CommandResult } from "../domain/ports.ts";
import type { TestRun } from "../domain/run.ts";
import { cutOutput } from "../domain/text.ts";
import { findJson, putFirstJson } from "./artifacts.ts";
import type { Activities, RunTestsInput } from "./contract.ts";
import { countLoss, MAX_LOSSES, unlessLost } from "./losses.ts";
import { untilDraining, working } from "./temporal.ts";
import { closeWorkspace, openWorkspace, type WorkspaceParts } from "./workspace.ts";

/** Bytes kept of the head and of the tail; the evidence in status and pull request shows a part of it. */
const KEEP_BYTES = 16_000;
const SHOWN_CHARACTERS = 4_000;
/** The journal key of the command. */
const TESTS = "tests";

export function createTests(parts: WorkspaceParts & { draining: AbortSignal }): Pick<Activities, "runTests"> {
  return {
    runTests: (input) =>
      working(async ({ signal }): Promise<TestRun> => {
        const { run } = input.workspace;
        const key = `${placeOf(run.runKey, input)}.json`;
        const known = await findJson<TestRun>(parts.artifacts, key);
        if (known) {
          // The attempt that stored it may have been ended before it closed its sandbox.
          await closeWorkspace(parts, input.workspace);
          return known;
        }
        const result = await untilDraining(parts.draining, signal, async (until) => {
          const { sandbox } = await openWorkspace(parts, input.workspace, TESTS, until);
          const command = {
            key: TESTS,
            script: input.command,
            timeoutMs: input.timeoutMs,
            keepBytes: KEEP_BYTES,
            env: { CI: "true" },
          };
          return unlessLost(() => sandbox.run(command, until));
        });
        if (result === null) {
          // It tells nothing of the change, and the journal would answer the same for ever: the next attempt needs a new sandbox.
          await closeWorkspace(parts, input.workspace);
          const losses = await countLoss(parts.artifacts, lossesKey(run.runKey, input));
          if (losses < MAX_LOSSES) {
            throw new SandboxLost(
              `The tests on the ${input.on} were ended from outside before they had a result. They run again in a new sandbox.`,
            );
          }
          return await putFirstJson(parts.artifacts, key, neverFinished(input));
        }
        const tests = await putFirstJson(parts.artifacts, key, evidenceOf(input, result));
        await closeWorkspace(parts, input.workspace);
        return tests;
      }),
  };
}

function placeOf(runKey: string, { workspace: { purpose, commit } }: RunTestsInput): string {
  return `${runPrefix(runKey)}/tests/${purpose}-${commit}`;
}

function lossesKey(runKey: string, input: RunTestsInput): string {
  return `${placeOf(runKey, input)}.losses.json`;
}

/** Claude reads why in the judgement: `domain/verification.ts`. */
function neverFinished({ on }: RunTestsInput): TestRun {
  const output = `[${MAX_LOSSES} times, each in a new sandbox, what runs this command was killed before it had a result.]`;
  return { on, exitCode: null, output, durationMs: 0, killedItself: true };
}

function evidenceOf(input: RunTestsInput, result: CommandResult): TestRun {
  return {
    on: input.on,
    exitCode: result.kind === "exited" ? result.exitCode : null,
    output: cutOutput(result.output, SHOWN_CHARACTERS),
    durationMs: result.durationMs,
  };
}
