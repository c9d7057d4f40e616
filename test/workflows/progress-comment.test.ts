/** The progress comment on a real Temporal server: short phases share an edit, and nobody waits for what concerns them. */
import { expect, it } from "vitest";
import { EDIT_EVERY_MS } from "../../domain/comment-pace.ts";
import { signals } from "../../workflows/messages.ts";
import type { Played } from "./played-activities.ts";
import { playedRuns, reaches } from "./played-runs.ts";

const { start } = playedRuns();

interface Edit {
  phase: string;
  at: number;
}

/** What the progress comment showed, and when it was written. */
function watched(played: Played): Edit[] {
  const edits: Edit[] = [];
  const { putComment } = played.activities;
  played.activities.putComment = async (input) => {
    const phase = /mergewright:state phase=([a-z-]+)/.exec(input.comment.body)?.[1];
    if (phase !== undefined) edits.push({ phase, at: Date.now() });
    return putComment(input);
  };
  return edits;
}

it("phases that are over soon share an edit, a question is shown at once, and the last state at the end", async () => {
  let edits: Edit[] = [];
  const { run, status } = await start({}, (played) => (edits = watched(played)));
  const waiting = await reaches(status, "awaiting-approval");
  await reaches(status, () => edits.at(-1)!.phase === "awaiting-approval");
  // On a machine that is busy with other tests the run itself may take longer than an edit may wait.
  const tookMs = Date.now() - edits[0]!.at;
  expect(edits.length).toBeLessThanOrEqual(2 + Math.floor(tookMs / EDIT_EVERY_MS));
  const askedAt = Date.parse(waiting.phases.at(-1)!.at);
  expect(edits.at(-1)!.at - askedAt).toBeLessThan(EDIT_EVERY_MS);
  await run.signal(signals.approveMerge, { by: "mara" });
  await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  expect(edits.at(-1)!.phase).toBe("merged");
});

it("a phase that lasts is shown though nothing more happens in it", async () => {
  let edits: Edit[] = [];
  let finish = (): void => undefined;
  const { run, status } = await start({}, (played) => {
    edits = watched(played);
    const { openPullRequest } = played.activities;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    played.activities.openPullRequest = (input) => finished.then(() => openPullRequest(input));
  });
  await reaches(status, "opening-pull-request");
  await expect.poll(() => edits.at(-1)!.phase, { timeout: 4 * EDIT_EVERY_MS }).toBe("opening-pull-request");
  const [first, ...others] = edits;
  expect(others.length).toBeLessThanOrEqual(1 + Math.floor((Date.now() - first!.at) / EDIT_EVERY_MS));
  finish();
  await reaches(status, "awaiting-approval");
  await run.terminate();
}, 120_000);
