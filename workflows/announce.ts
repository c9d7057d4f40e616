/** What the run shows on the issue: a reaction, labels, one progress comment edited in place, and how it ended. */
import { condition, isCancellation, log, workflowInfo } from "@temporalio/workflow";
import { stateMarker } from "../domain/admission.ts";
import { commentMarker } from "../domain/ids.ts";
import { endingComment, progressComment } from "../domain/pull-request-text.ts";
import type { Outcome } from "../domain/run.ts";
import { addLabels, assign, editPullRequest, putComment, react, removeLabel } from "./activities.ts";
import { reasonOf, untilDone } from "./parked.ts";
import type { Run } from "./run.ts";

/** The issue carries it while a run works on it. */
const WORKING_LABEL = "mergewright:working";

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

/** Keeps the one progress comment up to date beside the story; changes that come quickly share one edit. */
export function keepProgressComment(run: Run): { finish(): Promise<void> } {
  if (!run.settings.auto_comment) return { finish: async () => undefined };
  let wanted = 1;
  let shown = 0;
  let finished = false;
  let resting = false;
  let showing = false;
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
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      await condition(() => (wanted > shown && !resting) || finished);
      if (finished) return;
      try {
        showing = true;
        await show();
      } catch (error) {
        if (isCancellation(error)) throw error;
        // The next change is the next chance.
        shown = wanted;
        log.warn("the progress comment was not written", { reason: reasonOf(error) });
      } finally {
        showing = false;
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
      await show().catch((error: unknown) =>
        log.warn("the last progress comment was not written", { reason: reasonOf(error) }),
      );
    },
  };
}

/** Leaves GitHub tidy: no working label, no open pull request of a run that ended without a merge, and why. */
export async function endOnGitHub(run: Run, ending: Outcome): Promise<void> {
  const { ref } = run;
  if (run.settings.add_labels && !run.input.fork)
    await removeLabel({ run: ref, number: ref.issue, label: WORKING_LABEL }).catch(tolerated);
  if (ending.kind === "merged") return;
  const { pullRequest } = run.status;
  const marker = commentMarker("ending", ref.runKey);
  const body = endingComment({ status: run.status, outcome: ending, marker, links: run.input.links });
  if (pullRequest) {
    const close = () => editPullRequest({ run: ref, number: pullRequest.number, edit: { state: "closed" } });
    await untilDone(close, async (parking) => {
      // An outage passes. What only an operator could mend must not keep a run open that has ended.
      if (parking.waitMs === null) throw new Error(parking.detail);
      await run.park(parking);
    }).catch(tolerated);
    await putComment({ run: ref, number: pullRequest.number, comment: { marker, body, id: null } }).catch(tolerated);
  } else if (run.settings.auto_comment) {
    await putComment({ run: ref, number: ref.issue, comment: { marker, body, id: null } }).catch(tolerated);
  }
}

function hiddenNote(parts: number): string {
  return `The text of the issue has ${parts} hidden or invisible ${parts === 1 ? "part" : "parts"} (comments, invisible characters and the like). The agents did not get to read them.`;
}

function tolerated(error: unknown): void {
  log.warn("GitHub could not be tidied", { reason: reasonOf(error) });
}
