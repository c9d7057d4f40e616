/**
 * Workflow code may change under runs that are at work: what it did before must come out of it again, command by command. The
 * histories here were recorded from a real run by `npm run histories:record`. Takes 3 s.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DeterminismViolationError } from "@temporalio/workflow";
import { bundleWorkflowCode, Worker } from "@temporalio/worker";
import { describe, expect, it } from "vitest";
import { quietRuntime, workflowBundle } from "../support/temporal.ts";

const folder = fileURLToPath(new URL("../histories/", import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));

quietRuntime();

interface Recorded {
  events: {
    eventType: string;
    workflowExecutionStartedEventAttributes?: { workflowType: { name: string }; workflowId: string };
  }[];
}

describe.each(names)("%s", (name) => {
  const json = readFileSync(`${folder}${name}`, "utf8");
  const history = JSON.parse(json) as Recorded;
  const started = history.events[0]!.workflowExecutionStartedEventAttributes!;

  it("replays with today's workflow code", async () => {
    await Worker.runReplayHistory({ workflowBundle: { codePath: workflowBundle() } }, history, started.workflowId);
  });

  it("does not replay with other code of the same name", async () => {
    const workflowBundle = await other;
    const replayed = Worker.runReplayHistory({ workflowBundle }, history, started.workflowId);
    await expect(replayed).rejects.toThrow(DeterminismViolationError);
  });

  it("tells nothing of the machine that it was recorded on, and no secret", () => {
    const text = JSON.stringify(history, (key, value: unknown) =>
      key === "data" ? Buffer.from(String(value), "base64").toString() : value,
    );
    expect(text).not.toMatch(/played-|gh[pousr]_\w|github_pat_|sk-ant-|Bearer |x-access-token/);
    expect(text).not.toMatch(/127\.0\.0\.1:(?!1\b)\d+/);
    expect(text).not.toMatch(/\d+@(?!worker\b|v?\d)/);
    expect(text).not.toMatch(/"identity": ?"(?!worker")/);
    expect(text).not.toMatch(/\/(root|home|Users|tmp|var\/folders)\/(?!\.\.)[\w.-]+/);
  });
});

it("the histories are of all workflows, and of a run that was revised and merged", () => {
  const types = names.map((name) => {
    const { events } = JSON.parse(readFileSync(`${folder}${name}`, "utf8")) as Recorded;
    expect(events.at(-1)!.eventType).toBe("EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED");
    return events[0]!.workflowExecutionStartedEventAttributes!.workflowType.name;
  });
  const run = ["handleDelivery", "resolveIssue", "runAgent", "indexRepository", "keepMemories"];
  expect(new Set(types)).toEqual(new Set([...run, "reconcile", "retention", "memoryRetention"]));
});

const silent = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
/** Workflows of the right names that do something else. */
const other = bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL("../histories/other-workflows.ts", import.meta.url)),
  logger: silent,
});

function ignore(): void {}
