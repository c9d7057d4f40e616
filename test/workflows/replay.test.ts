/**
 * Workflow code may change under runs that are at work: what it did before must come out of it again, command by command. The
 * histories here were recorded from real runs by `npm run histories:record`. Takes 10 s.
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

it("the histories are of every workflow, and of every way in which a run goes and ends", () => {
  const found = names.map((name): [string, [string, string]] => {
    const { events } = JSON.parse(readFileSync(`${folder}${name}`, "utf8")) as Recorded;
    const type = events[0]!.workflowExecutionStartedEventAttributes!.workflowType.name;
    const last = events.at(-1)!.eventType.replace(/^EVENT_TYPE_WORKFLOW_EXECUTION_/, "");
    return [name.replace(/\.json$/, ""), [type, last.startsWith("EVENT_TYPE_") ? "OPEN" : last]];
  });
  expect(Object.fromEntries(found)).toEqual({
    ...all("resolveIssue", "COMPLETED", [
      "resolve-issue-merged-after-a-revision",
      "resolve-issue-declined",
      "resolve-issue-cancelled",
      "resolve-issue-parked",
      "resolve-issue-others-pushed",
      "resolve-issue-fork",
      "resolve-issue-goes-on",
      "resolve-issue-after-rest",
    ]),
    ...all("resolveIssue", "FAILED", ["resolve-issue-failed"]),
    ...all("resolveIssue", "CONTINUED_AS_NEW", ["resolve-issue-continued", "resolve-issue-rested"]),
    ...all("resolveIssue", "OPEN", ["resolve-issue-waiting"]),
    ...all("runAgent", "COMPLETED", [
      "run-agent-classifier",
      "run-agent-planner",
      "run-agent-coder",
      "run-agent-coder-second-round",
      "run-agent-coder-new-tree",
      "run-agent-reviewer",
      "run-agent-parked",
      "run-agent-rate-limited",
      "run-agent-fork",
      "run-agent-goes-on",
      "run-agent-rested",
      "run-agent-after-rest",
    ]),
    ...all("runAgent", "CANCELED", ["run-agent-cancelled"]),
    ...all("runAgent", "CONTINUED_AS_NEW", ["run-agent-continued"]),
    ...all("handleDelivery", "COMPLETED", [
      "handle-delivery-start",
      "handle-delivery-message",
      "handle-delivery-ignored",
      "handle-delivery-teach",
    ]),
    ...all("reconcile", "COMPLETED", ["reconcile"]),
    ...all("retention", "COMPLETED", ["retention"]),
    ...all("memoryRetention", "COMPLETED", ["memory-retention"]),
    ...all("indexRepository", "COMPLETED", ["index-repository"]),
    ...all("keepMemories", "COMPLETED", ["keep-memories"]),
  });
});

function all(type: string, ending: string, histories: readonly string[]): Record<string, [string, string]> {
  return Object.fromEntries(histories.map((name) => [name, [type, ending]]));
}

const silent = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
/** Workflows of the right names that do something else. */
const other = bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL("../histories/other-workflows.ts", import.meta.url)),
  logger: silent,
});

function ignore(): void {}
