/** What a fork takes over, on a real Temporal server with a real artifact store; all else is played. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { putJson, type RunNote } from "../../activities/artifacts.ts";
import { createForking } from "../../activities/fork.ts";
import { instructionsKey, issueKey } from "../../activities/ground.ts";
import { issueWorkflowId, turnKey } from "../../domain/ids.ts";
import { RESOLVE_ISSUE, type ResolveIssueInput } from "../../workflows/messages.ts";
import { runWorker, temporalClient } from "../support/temporal.ts";
import { playActivities } from "./played-activities.ts";
import { runInput } from "./played-runs.ts";

const installation = { namespace: "default", namespaceId: "a-namespace" };

it("a fork stores whose it is before anything else, so that nothing of one that broke off stays for ever", async () => {
  const client = await temporalClient();
  onTestFinished(() => client.connection.close());
  const folder = await mkdtemp(join(tmpdir(), "mergewright-fork-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const kept = createFileArtifacts(folder);
  const of = { id: "o/r#1", runKey: randomUUID() };
  await putJson(kept, issueKey(of), {});
  await putJson(kept, instructionsKey(of), []);
  await putJson(kept, turnKey(of.runKey, "coder", 0, { reply: "digest" }), { previous: null, reply: { content: [] } });

  const stored: { key: string; content: string }[] = [];
  const artifacts: typeof kept = {
    ...kept,
    put: (key, content) => {
      stored.push({ key, content: Buffer.from(content).toString() });
      return kept.put(key, content);
    },
  };
  const worker = await runWorker({
    activities: { ...playActivities().activities, ...createForking({ artifacts, installation }) },
  });
  onTestFinished(worker.stop);
  const repository = `o/r-${randomUUID().slice(0, 8)}`;
  const base = { commit: "b".repeat(40), test: null, hasChecks: false };
  const input: ResolveIssueInput = {
    ...runInput(repository),
    fork: {
      of,
      role: "coder",
      turn: 1,
      instruct: null,
      replaces: null,
      closesIssue: false,
      base,
      trees: [],
      classification: { category: "bug", summary: "s", reason: "r" } as never,
      plan: null,
    },
  };
  const workflowId = issueWorkflowId(repository, 1, 1);
  const run = await client.workflow.start(RESOLVE_ISSUE, { workflowId, taskQueue: worker.taskQueue, args: [input] });
  // The commit that it stands on is gone: what was copied until then stays behind.
  await expect(run.result()).rejects.toThrow();
  expect(stored.map(({ key }) => key.replace(/^.*\//, ""))).toEqual(["run.json", "issue.json", "instructions.json"]);
  const note: RunNote = { id: workflowId, ...installation, firstRunId: run.firstExecutionRunId };
  expect(JSON.parse(stored[0]!.content)).toEqual(note);
});
