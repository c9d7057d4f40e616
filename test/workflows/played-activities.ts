/** Activities that play the outside of a run: what each answers can be set by the test, and every call is written down. */
import { Context } from "@temporalio/activity";
import type { Activities, Change, Checkpoint, TakeTurnInput, Turn } from "../../activities/contract.ts";
import type { IssueEvent } from "../../domain/events.ts";
import type { Role } from "../../domain/ids.ts";
import type { CheckReport, PullRequest } from "../../domain/ports.ts";
import type { Permission } from "../../domain/run.ts";

type Call = { name: keyof Activities; input: unknown };

export interface Played {
  activities: Activities;
  calls: Call[];
  /** Inputs of the calls of one activity. */
  inputs<Name extends keyof Activities>(name: Name): Parameters<Activities[Name]>[0][];
  /** Set by tests before, or while, a run goes on. */
  permissions: Map<string, Permission>;
  checks: CheckReport[] | null;
  /** What a run finds that looks at GitHub again. */
  news: IssueEvent[];
  reviews: unknown[];
  classification: { category: string; summary: string; reason: string };
  testExitCodes: { base: number; "base-with-new-tests": number; branch: number };
  change: Partial<Change>;
  costUsd: number;
  fail: Map<keyof Activities, Error[]>;
  pullRequest: PullRequest;
  /** What somebody else pushed last. */
  foreignHead: string | null;
  mergeAnswers: Awaited<ReturnType<Activities["mergePullRequest"]>>[];
}

const plan = { cause: "an off-by-one", steps: ["mend it"], files: ["a.js"], test: "a test", risks: [] };

export function playActivities(): Played {
  const calls: Call[] = [];
  let commits = 0;
  const played: Played = {
    activities: {} as Activities,
    calls,
    inputs: (name) => calls.filter((call) => call.name === name).map((call) => call.input as never),
    permissions: new Map([
      ["mara", "write"],
      ["rita", "read"],
    ]),
    checks: [],
    news: [],
    reviews: [],
    classification: { category: "bug", summary: "s", reason: "r" },
    testExitCodes: { base: 0, "base-with-new-tests": 1, branch: 0 },
    change: {},
    costUsd: 0.01,
    fail: new Map(),
    mergeAnswers: [],
    foreignHead: null,
    pullRequest: {
      number: 2,
      url: "https://github.test/o/r/pull/2",
      headRef: "mergewright/issue-1",
      headSha: "",
      baseRef: "main",
      sameRepository: true,
      draft: true,
      state: "open",
      merged: false,
      mergeSha: null,
      mergeable: true,
      behind: false,
    },
  };

  const answers: Activities = {
    admitDelivery: async () => ({ kind: "ignore", reason: "played" }),
    startRun: async () => ({ workflowId: "", started: true }),
    signalRun: async () => ({ delivered: true }),
    takeOver: async () => ({ kind: "gone", reason: "This played store keeps nothing." }),
    openRun: async () => ({
      cloneUrl: "https://github.test/o/r.git",
      defaultBranch: "main",
      private: false,
      viewer: { login: "mergewright-bot", id: 1, kind: "user" },
      title: "It is off by one",
      issueUrl: "https://github.test/o/r/issues/1",
      issueAuthor: "rita",
      hiddenParts: 0,
    }),
    prepareBase: async () => ({
      commit: "b".repeat(40),
      test: { command: "npm test", why: "played" },
      hasChecks: false,
    }),
    readNews: async () => played.news,
    checkPermission: async ({ login }) => played.permissions.get(login) ?? "none",
    takeTurn: async (input) => ({
      ...answerOf(input.role, input.turn),
      checkpoint: checkpointOf(input),
      // Where the worker of this test polls: see `runWorker`.
      home: Context.current().info.taskQueue,
    }),
    closeSandbox: async () => undefined,
    collectChange: async () => {
      commits += 1;
      const headSha = String(commits).repeat(40).slice(0, 40);
      return {
        headSha,
        empty: false,
        files: [{ path: "a.js", status: "modified", additions: 1, deletions: 1 }],
        changedTestPaths: ["a.test.js"],
        baseWithNewTests: "d".repeat(40),
        violations: [],
        unresolved: [],
        ...played.change,
      };
    },
    runTests: async ({ on }) => ({ on, exitCode: played.testExitCodes[on], output: `tests on ${on}`, durationMs: 1 }),
    pushBranch: async ({ commit }) => {
      played.pullRequest.headSha = commit;
      return { kind: "pushed" };
    },
    openPullRequest: async () => played.pullRequest,
    readPullRequest: async () => played.pullRequest,
    editPullRequest: async ({ edit }) => void (edit.state && (played.pullRequest.state = edit.state)),
    setDraft: async ({ draft }) => void (played.pullRequest.draft = draft),
    readChecks: async () => played.checks && { reports: played.checks, required: [] },
    explainChecks: async () => "",
    postReview: async () => undefined,
    readMergeQueue: async () => ({ kind: "merged", sha: "e".repeat(40) }),
    bringIn: async ({ base }) => ({
      kind: "merged",
      base,
      theirs: played.foreignHead ?? base,
      change: {
        ...(await answers.collectChange(null as never)),
        headSha: played.foreignHead ?? played.pullRequest.headSha,
      },
    }),
    reportStatus: async () => undefined,
    mergePullRequest: async () => played.mergeAnswers.shift() ?? { kind: "merged", sha: "e".repeat(40) },
    putComment: async ({ comment }) => ({ id: 9, url: `https://github.test/comment/${comment.marker.length}` }),
    addLabels: async () => undefined,
    removeLabel: async () => undefined,
    assign: async () => undefined,
    react: async () => undefined,
    closeIssue: async () => undefined,
    startIndexing: async () => undefined,
    indexCode: async () => ({
      commit: "b".repeat(40),
      files: 1,
      changed: 1,
      removed: 0,
      commits: 1,
      newCommits: 1,
      unchanged: false,
    }),
    recallIssues: async () => ({ key: null, found: 0, problem: null }),
    recallCode: async () => ({ key: null, found: 0, problem: null }),
    rememberRun: async () => ({ memories: 0 }),
    teach: async () => undefined,
    startForgetting: async () => undefined,
    storeMemories: async () => undefined,
    embedMemories: async () => ({ embedded: 0, lacking: null }),
    forgetRepository: async () => undefined,
    startMoving: async () => undefined,
    moveRepository: async () => undefined,
  };

  /** A tool changes the tree; a turn without one leaves it as it was. */
  function checkpointOf({ said, workspace }: TakeTurnInput): Checkpoint | null {
    if (said.kind !== "results") return workspace.checkpoint;
    return { commit: said.calls[0]!.id.padEnd(40, "c"), tree: "t".repeat(40), conversation: "coder" };
  }

  function answerOf(role: Role, turn: number): Omit<Turn, "checkpoint" | "home"> {
    const data = { classifier: played.classification, planner: plan, coder: null, reviewer: null }[role];
    const base = {
      key: `${role}-${turn}`,
      costUsd: played.costUsd,
      inputTokens: 1,
      outputTokens: 1,
      requestBytes: 1,
      calls: [],
    };
    if (role === "reviewer") {
      const review = played.reviews.shift() ?? { verdict: "approve", summary: "good", findings: [] };
      return { ...base, stopReason: "end_turn", answer: { kind: "data", value: review } };
    }
    if (data) return { ...base, stopReason: "end_turn", answer: { kind: "data", value: data } };
    // The coder uses one tool, then ends; each later round the same.
    if (turn % 2 === 0) {
      return {
        ...base,
        stopReason: "tool_use",
        calls: [{ id: `call-${turn}`, name: "bash", onlyReads: false, summary: "npm test" }],
        answer: null,
      };
    }
    return { ...base, stopReason: "end_turn", answer: { kind: "text", text: "Mended." } };
  }

  for (const name of Object.keys(answers) as (keyof Activities)[]) {
    const answer = answers[name] as (input: unknown) => Promise<unknown>;
    (played.activities as unknown as Record<string, unknown>)[name] = async (input: unknown) => {
      calls.push({ name, input });
      const failure = played.fail.get(name)?.shift();
      if (failure) throw failure;
      return answer(input);
    };
  }
  return played;
}
