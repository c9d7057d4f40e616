/** What the run shows on the issue: a reaction, labels, one progress comment edited in place, and how it ended. */
import { condition, isCancellation, log, patched, sleep, workflowInfo } from "@temporalio/workflow";
import { stateMarker } from "../domain/admission.ts";
import { mustBeShown, showsIn } from "../domain/comment-pace.ts";
import { commentMarker } from "../domain/ids.ts";
import { endingComment, progressComment } from "../domain/pull-request-text.ts";
import type { Outcome } from "../domain/run.ts";
import { addLabels, assign, editPullRequest, putComment, react, removeLabel } from "./activities.ts";
import { type Parking, reasonOf, untilDone } from "./parked.ts";
import type { Run } from "./run.ts";

/** The issue carries it while a run works on it. */
const WORKING_LABEL = "mergewright:working";

/** A comment that was refused for good is tried again with the next change, or after this, should somebody have mended what was wrong. */
const MENDED_WITHIN_MS = 30 * 60_000;

export function announce(run: Run): void {
  const { settings, ref, input } = run;
  // The issue is held by the run that it started.
  if (input.fork) return;
  const { commentId } = input.trigger;
  if (settings.add_reaction) {
    run.beside(react({ run: ref, target: commentId === null ? { issue: ref.issue } : { comment: commentId } }));
  }
  if (settings.add_labels) run.beside(addLabels({ run: ref, number: ref.issue, labels: [WORKING_LABEL] }));
  const viewer = run.ground!.viewer;
  if (settings.auto_assign && viewer.kind === "user")
    run.beside(assign({ run: ref, number: ref.issue, login: viewer.login }));
}

/**
 * Keeps the one progress comment up to date beside the story; changes that come quickly share one edit, but for what people must know
 * at once. The last state is always written.
 */
export function keepProgressComment(run: Run): { finish(): Promise<void> } {
  if (!run.settings.auto_comment) return { finish: async () => undefined };
  let wanted = 1;
  let shown = 0;
  let finished = false;
  let resting = false;
  let showing = false;
  let shownAt: number | null = null;
  run.onChange(() => void (wanted += 1));

  const show = async (): Promise<void> => {
    const version = wanted;
    const marker = commentMarker("progress", run.ref.runKey);
    const { status } = run;
    const text = progressComment({ status, marker, links: run.input.links, namespace: workflowInfo().namespace });
    // How the issue stands is told by the run that it started.
    const state = run.input.fork ? "" : stateMarker(status.phase, status.phases.at(-1)!.at);
    const hidden = run.ground?.hiddenParts ? `\n${hiddenNote(run.ground.hiddenParts)}\n` : "";
    const body = `${text}\n${hidden}${state}`;
    const comment = await putComment({
      run: run.ref,
      number: run.ref.issue,
      comment: { marker, body, id: run.progressComment },
    });
    run.progressComment = comment.id;
    shown = version;
    shownAt = Date.now();
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      await condition(() => (wanted > shown && !resting) || finished);
      if (finished) return;
      const pauseMs = showsIn(run.status.waitingFor, shownAt === null ? null : Date.now() - shownAt);
      if (pauseMs > 0 && patched("progress-edits-are-spaced")) {
        await condition(() => finished || resting || mustBeShown(run.status.waitingFor), pauseMs);
        if (finished) return;
        if (resting) continue;
      }
      try {
        await untilDone(
          async () => {
            if (finished || resting) return;
            showing = true;
            await show().finally(() => (showing = false));
          },
          // A run may wait for days, and must not show an old phase all the while.
          async ({ waitMs }) => {
            const asked = wanted;
            const changed = (): boolean => waitMs === null && wanted > asked;
            await condition(() => finished || resting || changed(), waitMs ?? MENDED_WITHIN_MS);
          },
        );
      } catch (error) {
        if (isCancellation(error)) throw error;
        // The next change is the next chance.
        shown = wanted;
        log.warn("the progress comment was not written", { reason: reasonOf(error) });
      }
    }
  };
  const running = loop();
  run.onRest(async () => {
    resting = true;
    await condition(() => !showing);
  });
  running.catch(() => undefined);
  return {
    async finish() {
      finished = true;
      await running.catch(() => undefined);
      // The run has ended for everybody else: its status says so, and no longer what this waits for.
      await throughOutages(show, ({ waitMs }) => sleep(waitMs)).catch((error: unknown) =>
        log.warn("the last progress comment was not written", { reason: reasonOf(error) }),
      );
    },
  };
}

/** An outage passes. What only an operator could mend must not keep a run open that has ended. */
async function throughOutages<T>(
  step: () => Promise<T>,
  wait: (parking: Parking & { waitMs: number }) => Promise<void>,
): Promise<T> {
  return untilDone(step, async (parking) => {
    const { waitMs, detail } = parking;
    if (waitMs === null) throw new Error(detail);
    await wait({ ...parking, waitMs });
  });
}

/** Leaves GitHub tidy: no working label, no open pull request of a run that ended without a merge, and why. */
export async function endOnGitHub(run: Run, ending: Outcome): Promise<void> {
  const { ref } = run;
  const done = async (step: () => Promise<unknown>): Promise<void> => {
    await throughOutages(step, (parking) => run.park(parking)).catch(tolerated);
  };
  if (run.settings.add_labels && !run.input.fork)
    await done(() => removeLabel({ run: ref, number: ref.issue, label: WORKING_LABEL }));
  if (ending.kind === "merged") return;
  const { pullRequest } = run.status;
  const marker = commentMarker("ending", ref.runKey);
  const body = endingComment({ status: run.status, outcome: ending, marker, links: run.input.links });
  const say = (number: number) => () => putComment({ run: ref, number, comment: { marker, body, id: null } });
  if (pullRequest) {
    await done(() => editPullRequest({ run: ref, number: pullRequest.number, edit: { state: "closed" } }));
    await done(say(pullRequest.number));
  } else if (run.settings.auto_comment) await done(say(ref.issue));
}

function hiddenNote(parts: number): string {
  return `The text of the issue has ${parts} hidden or invisible ${parts === 1 ? "part" : "parts"} (comments, invisible characters and the like). The agents did not get to read them.`;
}

function tolerated(error: unknown): void {
  log.warn("GitHub could not be tidied", { reason: reasonOf(error) });
}
