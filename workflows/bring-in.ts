/** What others did meanwhile comes into our branch: the base that moved on, commits that somebody pushed. We never fight over it. */
import { log } from "@temporalio/workflow";
import type { NewTree } from "../domain/brief.ts";
import { bringIn as mergeIn } from "./activities.ts";
import type { Revision } from "./gates.ts";
import { fresh, type Problem, refused, revise, untilVerified, verify, type Work } from "./implement.ts";
import type { Run } from "./run.ts";
import { closeSandboxes, Declined } from "./story.ts";

/** Answers what stands against the change: the coder works again, or what others did is taken in. */
export function renew(run: Run, work: Work, revision: Revision): Promise<Work> {
  if (revision.kind === "revise") return revise(run, work, revision);
  if (revision.kind === "head-moved") return bringIn(run, work, "head");
  return bringIn(run, { ...work, rebaseRounds: work.rebaseRounds + 1 }, "base");
}

/** Merges it, and verifies the result like our own. What Git cannot merge, or no longer holds, goes to the coder. */
export async function bringIn(run: Run, before: Work, what: "base" | "head"): Promise<Work> {
  run.enter("verifying");
  const { pushed, change: ours } = before;
  const merged = await run.step(() =>
    mergeIn({
      run: run.ref,
      ground: run.ground!,
      what,
      base: run.base!.commit,
      ours: what === "head" && ours.headSha === pushed ? null : ours.headSha,
      pushed,
      date: run.startedAt,
    }),
  );
  switch (merged.kind) {
    case "gone":
      throw new Declined("the branch of the pull request was deleted by somebody else");
    case "rewritten":
      await run.waitForOperator(
        `The branch on GitHub was moved to ${merged.actual}, without the commits of this run that it had. Put it back, then send resume, or reject.`,
      );
      return before;
    case "conflict": {
      const work = await onNewTree(run, before, merged, what);
      const paths = merged.paths.map((path) => `- ${path}`).join("\n");
      const text = `These files hold conflict markers, or could not be merged at all:\n${paths}`;
      const { from, parents, paths: conflicts } = merged;
      return untilVerified(run, {
        ...fresh,
        work: { ...work, from, onto: parents, conflicts, reviewed: false },
        brief: { kind: "revise", because: "conflict", text },
      });
    }
    case "merged":
      return judge(run, await onNewTree(run, before, merged, what), merged.change, what);
  }
}

async function judge(run: Run, before: Work, change: Work["change"], what: "base" | "head"): Promise<Work> {
  const { headSha } = change;
  const work = {
    ...before,
    change,
    from: headSha,
    onto: [headSha],
    conflicts: [],
    tested: before.tested + 1,
  };
  const problem = refused(change) ?? (await verify(run, work, change));
  run.change = change;
  log.info("brought in", { what, headSha, verified: problem === null });
  if (problem === null) return { ...work, verified: true, verification: run.verification };
  if (what === "head") return { ...work, verified: false, verification: ofOthers(problem) };
  const brief = { kind: "revise", because: problem.because, text: problem.text } as const;
  return untilVerified(run, { ...fresh, work, brief });
}

/** The coder's tree and sandbox are of the past: its next round begins with a tree that has it all. */
async function onNewTree(
  run: Run,
  work: Work,
  { base, theirs }: { base: string; theirs: string },
  what: "base" | "head",
): Promise<Work> {
  run.base = { ...run.base!, commit: base };
  // What stands on the branch now is what our next push builds upon, and news of it is no news.
  if (what === "head") run.pushed.add(theirs);
  const pushed = what === "head" ? theirs : work.pushed;
  await closeSandboxes(run, ["coder"]);
  const newTree: NewTree = what === "base" ? "base-merged" : "others-pushed";
  return { ...work, pushed, newTree, checksNote: null, mergeRefused: null };
}

/** What people push is theirs: nobody is sent to change it unasked. */
function ofOthers({ text }: Problem): string {
  return `Somebody pushed commits to the branch, and with them it does not hold: ${text}`;
}
