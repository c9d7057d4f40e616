/** Writing the change: the coder works, the host collects and verifies what it left, and again until it holds. */
import type { BriefRef, Change } from "../activities/contract.ts";
import type { NewTree } from "../domain/brief.ts";
import type { Classification, Finding, Plan } from "../domain/outputs.ts";
import type { TestRun } from "../domain/run.ts";
import { judgeVerification, whatToRun } from "../domain/verification.ts";
import { collectChange, runTests } from "./activities.ts";
import type { Chapter } from "./carried-run.ts";
import type { Revision } from "./gates.ts";
import type { Run } from "./run.ts";
import { GaveUp } from "./story.ts";

/** What the coder has done so far, and what the host found out about it. */
export interface Work {
  classification: Classification;
  plan: Plan;
  /** How many times the coder has been at work. */
  round: number;
  summary: string;
  change: Change;
  verified: boolean;
  /** Why it counts as verified, or why not. */
  verification: string;
  /** Left over from the last review. */
  findings: Finding[];
  /** The reviewer has read it as it is now, but for what others did. */
  reviewed: boolean;
  reviewRounds: number;
  checkRounds: number;
  rebaseRounds: number;
  /** How many changes were tested: each in sandboxes of its own. */
  tested: number;
  /** The commit that the branch on GitHub has; null before the first push. */
  pushed: string | null;
  /** The commit that the coder's working tree was made from. */
  from: string;
  /** What our next commit builds upon, where that is not what was pushed last. */
  onto: string[] | null;
  /** Paths that had a conflict when the coder's tree was made. */
  conflicts: string[];
  /** The coder's tree is to be made anew, with this in it; null: it goes on in the one it has. */
  newTree: NewTree | null;
  /** What stands against the merge although the review is done; people see it when they are asked. */
  checksNote: string | null;
  mergeRefused: string | null;
}

/** The coder at work: what it has done before, and what it is told. */
export interface Coding {
  work: Omit<Work, "change">;
  brief: BriefRef;
  /** How often it was sent back since somebody else has looked at it. */
  attempt: number;
  /** It is known to have begun: it goes on with a new history of the run. */
  begun: boolean;
}

/** The first work of the coder. */
export function implement(run: Run, classification: Classification, plan: Plan): Coding {
  const { test } = run.base!;
  // A fork goes on in a tree that is there.
  const tree = run.landmarks.trees.at(-1);
  const work = {
    classification,
    plan,
    round: 0,
    summary: "",
    verified: false,
    verification: "",
    findings: [],
    reviewed: false,
    reviewRounds: 0,
    checkRounds: 0,
    rebaseRounds: 0,
    tested: 0,
    pushed: null,
    from: tree?.from ?? run.base!.commit,
    // The commits of others that the tree holds stay theirs.
    onto: tree?.onto?.length ? tree.onto : null,
    conflicts: tree?.conflicts ?? [],
    newTree: null,
    checksNote: null,
    mergeRefused: null,
  };
  const { recalled } = run.notes;
  const testCommand = test?.command ?? null;
  return { ...fresh, work, brief: { kind: "implement", classification, plan, testCommand, recalled } };
}

/** The coder has not been sent back yet. */
export const fresh = { attempt: 0, begun: false };

/** Sends the coder back to work on the same branch, with what was asked. */
export function revise(run: Run, work: Work, revision: Revision & { kind: "revise" }): Promise<Work> {
  const { because, text, findings } = revision;
  return untilVerified(run, {
    ...fresh,
    work: { ...work, reviewed: false, checksNote: null, mergeRefused: null },
    brief: { kind: "revise", because, text, ...(findings ? { findings } : {}) },
  });
}

/** Lets the coder work until its change holds; what does not after the last round becomes a draft that says so, or nothing. */
export async function untilVerified(run: Run, coding: Coding): Promise<Work> {
  let { work, begun } = coding;
  let said = withTree(coding.brief, work.newTree);
  for (let { attempt } = coding; ; attempt += 1) {
    run.enter("working");
    const { from, conflicts, newTree } = work;
    const anew = newTree !== null;
    if (!begun) {
      const onto = work.onto ?? (work.pushed === null ? [] : [work.pushed]);
      run.landmarks.coderBegins({ since: run.team.turnsOf("coder"), base: run.base!, from, conflicts, onto }, anew);
    }
    const here: Coding = { work, brief: said, attempt, begun: true };
    const chapter = (): Chapter => ({ kind: "work", coding: here });
    const answer = await run.team.work("coder", said, { commit: from }, anew ? "new-tree" : "goes-on", chapter);
    begun = false;
    if (answer.kind === "gave-up") throw new GaveUp("coder", answer.reason);
    work = {
      ...work,
      round: work.round + 1,
      tested: work.tested + 1,
      summary: answer.text ?? work.summary,
      newTree: null,
    };

    run.notes.rounds = work.round;
    run.notes.summary = work.summary;
    run.enter("verifying");
    const change = await collect(run, work, answer.progress.checkpoint);
    const problem =
      change === null ? nothingChanged : (unresolved(change) ?? refused(change) ?? (await verify(run, work, change)));
    const last = attempt >= run.settings.limits.verification_rounds;
    if (change !== null && (problem === null || (last && problem.mayStayDraft))) {
      run.change = change;
      return { ...work, change, verified: problem === null, verification: problem?.text ?? run.verification };
    }
    if (last) throw new GaveUp("coder", problem!.text);
    said = { kind: "revise", because: problem!.because, text: problem!.text };
  }
}

export interface Problem {
  because: "verification" | "policy" | "conflict";
  text: string;
  /** After the last round, a draft that says so is better than nothing. */
  mayStayDraft: boolean;
}

const nothingChanged: Problem = {
  because: "verification",
  text: "You have changed nothing: the working tree is as it was. Make the change, or say in the code's own tests why none is needed.",
  mayStayDraft: false,
};

async function collect(
  run: Run,
  work: Omit<Work, "change">,
  checkpoint: Parameters<typeof collectChange>[0]["checkpoint"] | null,
): Promise<Change | null> {
  const { from, onto, conflicts } = work;
  // A tree that was made anew holds the change already, also when nothing was added to it.
  if (checkpoint === null && from === run.base!.commit) return null;
  const change = await run.step(() =>
    collectChange({
      run: run.ref,
      base: run.base!.commit,
      from,
      parents: onto ?? [work.pushed ?? run.base!.commit],
      checkpoint,
      conflicts,
      title: run.status.title,
      date: run.startedAt,
      round: work.round,
      summary: work.summary,
      viewer: run.ground!.viewer,
    }),
  );
  return change.empty ? null : change;
}

function withTree(brief: BriefRef, tree: NewTree | null): BriefRef {
  return tree !== null && brief.kind === "revise" ? { ...brief, tree } : brief;
}

function unresolved({ unresolved: paths }: Change): Problem | null {
  if (paths.length === 0) return null;
  const text = `Conflict markers still stand in:\n${paths.map((path) => `- ${path}`).join("\n")}`;
  return { because: "conflict", text, mayStayDraft: false };
}

export function refused(change: Change): Problem | null {
  const violations = change.violations.filter((violation) => violation.severity === "refuse");
  if (violations.length === 0) return null;
  const lines = violations.map(({ path, rule, detail }) => `- ${path}: ${detail} (${rule})`);
  return {
    because: "policy",
    text: `The change policy of this repository does not allow these parts of the change. Undo them or find another way:\n${lines.join("\n")}`,
    mayStayDraft: false,
  };
}

export async function verify(run: Run, work: Omit<Work, "change">, change: Change): Promise<Problem | null> {
  const { category } = work.classification;
  const command = run.base!.test?.command ?? null;
  const runs: TestRun[] = [];
  for (;;) {
    const wanted = whatToRun({ command, changedTestPaths: change.changedTestPaths, runs });
    if (wanted.length === 0) break;
    runs.push(...(await Promise.all(wanted.map((on) => test(run, work.tested, change, on, command!)))));
  }
  const { evidence, verified, reason } = judgeVerification({
    category,
    runs,
    changedTestPaths: change.changedTestPaths,
    command,
  });
  run.status.evidence = evidence;
  run.verification = reason;
  run.changed();
  return verified ? null : { because: "verification", text: reason, mayStayDraft: true };
}

async function test(run: Run, number: number, change: Change, on: TestRun["on"], command: string): Promise<TestRun> {
  const purpose = `verify-${number}-${on === "base-with-new-tests" ? "tests" : on}`;
  run.sandboxes.add(purpose);
  const commit = { base: run.base!.commit, "base-with-new-tests": change.baseWithNewTests!, branch: change.headSha }[
    on
  ];
  const tests = await run.step(() =>
    run.home.run((place) =>
      runTests.executeWithOptions({ summary: `${command} on ${on}`, ...place }, [
        {
          workspace: { run: run.ref, purpose, commit, checkpoint: null },
          on,
          command,
          timeoutMs: run.settings.limits.test_minutes * 60_000,
        },
      ]),
    ),
  );
  // It closed its sandbox itself.
  run.sandboxes.delete(purpose);
  return tests;
}
