/** GitHub on a bad day: answers that are lost, refused or late. All rows run side by side on one stage; about 60 s alone. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import type { Stage } from "../../demo/stage.ts";
import { branchName, issueWorkflowId } from "../../domain/ids.ts";
import { ended, reaches, signal, until } from "../e2e/support.ts";
import { expectRowEnds } from "./end-checks.ts";
import {
  approve,
  approveAndMerge,
  asksApproval,
  effects,
  fault,
  merged,
  requests,
  type Row,
  rowsStage,
  rowStory,
  startRow,
  struck,
} from "./github-rows.ts";

const LIMIT_MS = 280_000;
/** Longer than we wait for an answer of GitHub. */
const HANGS = { delayMs: 40_000, drop: true };
/** Runs that meet one limit together. */
const CROWD = ["B9a", "B9b", "B9c", "B9d"];
const NAMES = [
  "B1once",
  "B1thrice",
  "B2late",
  "B2lost",
  "B2hangs",
  "B3",
  "B3lost",
  "B3taken",
  "B4",
  "B4gone",
  "B4hangs",
  "B5",
  "B6",
  "B7",
  "B8",
  ...CROWD,
  "B10",
  "B11moved",
  "B11transferred",
  "B11gone",
  "B11law",
  "B12",
];
const MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge";
const PUSH = { method: "POST", path: "\\.git/git-receive-pack$" };
const SECONDARY = { message: "You have exceeded a secondary rate limit. Please wait a few minutes." };

const rows = rowsStage("local", {
  scenarios: NAMES.map((name) => rowStory(name)),
});
let stage: Stage;
beforeAll(() => {
  stage = rows();
});

describe.concurrent("GitHub", () => {
  for (const [name, times] of [
    ["B1once", 1],
    ["B1thrice", 3],
  ] as const) {
    it(
      `B1: a comment whose answer was lost, ${times} time(s), is there once`,
      async () => {
        const row = await startRow(stage, name, (at) =>
          fault(at, { method: "POST", path: "/issues/\\d+/comments$", when: "after", status: 502, times }),
        );
        await approveAndMerge(row);
        expect(await effects(row, "/repos/{owner}/{repo}/issues/{issue_number}/comments")).toHaveLength(1);
      },
      LIMIT_MS,
    );
  }

  for (const [name, how] of [
    ["B2late", { status: 502 }],
    ["B2lost", { drop: true }],
    ["B2hangs", HANGS],
  ] as const) {
    it(
      `B2: a pull request whose answer ${broken(how)} is found by its head, and there is one`,
      async () => {
        const row = await startRow(stage, name, (at) =>
          fault(at, { method: "POST", path: "/pulls$", when: "after", ...how }),
        );
        await approveAndMerge(row);
        expect(await requests(row, "POST", /\/pulls$/)).toHaveLength(1);
      },
      LIMIT_MS,
    );
  }

  it(
    "B3: a push whose acknowledgement was lost counts because the branch has the commit, and is not made again",
    async () => {
      const row = await startRow(stage, "B3", (at) => fault(at, { ...PUSH, when: "after", drop: true }));
      const run = await approveAndMerge(row);
      const [push] = await effects(row, "git push");
      expect(push!.facts).toMatchObject({ before: null, after: run.pullRequest!.headSha });
    },
    LIMIT_MS,
  );

  it(
    "B3: a push that never arrived does not count, and is made again",
    async () => {
      const row = await startRow(stage, "B3lost", (at) => fault(at, { ...PUSH, when: "before", drop: true }));
      const run = await approveAndMerge(row);
      expect(await requests(row, "POST", /\/git-receive-pack$/)).toHaveLength(2);
      const [push] = await effects(row, "git push");
      expect(push!.facts).toMatchObject({ before: null, after: run.pullRequest!.headSha });
    },
    LIMIT_MS,
  );

  it(
    "B3: a push without an answer does not count when somebody else's commit is on the branch, which is left as it is",
    async () => {
      let lost = { id: 0 };
      const row = await startRow(stage, "B3taken", async (at) => {
        lost = await fault(at, { ...PUSH, when: "before", delayMs: 8_000, drop: true });
      });
      await until("the push is under way", async () => (await struck(row, lost)) > 0);
      const { people } = stage.github;
      const branch = branchName(row.issue);
      const files = { "NOTES.md": "By hand.\n" };
      const { sha } = await people.push({ as: stage.maintainer, repository: row.repository, branch, files });
      const asked = await reaches(
        row.stage,
        row.issue,
        "its question",
        ({ waitingFor }) => waitingFor?.kind === "operator",
      );
      expect(asked.waitingFor!.detail).toContain(
        `The branch on GitHub is at ${sha}, with commits that are not of this run`,
      );
      expect(await effects(row, "git push")).toEqual([]);
      expect((await people.branches(row.repository))[branch]).toBe(sha);
      expect(asked.pullRequest).toBeNull();
      await people.as(stage.maintainer).rest("DELETE", `/repos/${row.repository}/git/refs/heads/${branch}`);
      await signal(row.stage, row.issue, "resume", {});
      await approveAndMerge(row);
    },
    LIMIT_MS,
  );

  for (const [name, how] of [
    ["B4", { drop: true }],
    ["B4gone", { status: 504 }],
    ["B4hangs", HANGS],
  ] as const) {
    it(
      `B4: a merge that was done, and whose answer ${broken(how)}, is read back, and not made again`,
      async () => {
        const row = await startRow(stage, name, (at) =>
          fault(at, { method: "PUT", path: "/pulls/\\d+/merge$", when: "after", ...how }),
        );
        await approveAndMerge(row);
        expect(await requests(row, "PUT", /\/merge$/)).toHaveLength(1);
      },
      LIMIT_MS,
    );
  }

  it(
    "B5: a merge that GitHub refuses goes back to the person, with the reason and after two requests at most",
    async () => {
      const refusal = { status: 405, body: { message: "Waiting on code owner review." } };
      const row = await startRow(stage, "B5", (at) =>
        fault(at, { method: "PUT", path: "/pulls/\\d+/merge$", ...refusal }),
      );
      await approve(row, await asksApproval(row));
      const again = await reaches(row.stage, row.issue, "its question again", ({ waitingFor }) =>
        Boolean(waitingFor?.kind === "approval" && waitingFor.detail?.includes("Waiting on code owner review.")),
      );
      expect((await requests(row, "PUT", /\/merge$/)).length).toBeLessThanOrEqual(2);
      await approve(row, again);
      await merged(row);
    },
    LIMIT_MS,
  );

  it(
    "B6: a head that moves under the merge voids the approval, and the new head is asked about",
    async () => {
      const row = await startRow(stage, "B6");
      const first = await asksApproval(row);
      const slow = await fault(row, { method: "PUT", path: "/pulls/\\d+/merge$", delayMs: 2_000 });
      await approve(row, first);
      await until("the merge is on its way", async () => (await struck(row, slow)) === 1);
      const { people } = stage.github;
      const order = { as: stage.maintainer, repository: row.repository, branch: branchName(row.issue) };
      const { sha } = await people.push({ ...order, files: { "NOTES.md": "A last word.\n" } });
      const again = await asksApproval(row, first.pullRequest!.headSha);
      expect(again.pullRequest!.headSha).toBe(sha);
      expect(again.refused.map(({ reason }) => reason).join()).toContain("void");
      expect(await effects(row, MERGE)).toEqual([]);
      expect((await requests(row, "PUT", /\/merge$/)).map(({ status }) => status)).toEqual([409]);
      await approve(row, again);
      await merged(row);
    },
    LIMIT_MS,
  );

  for (const [name, what, owner] of [
    ["B11moved", "renamed", "demo-tools"],
    ["B11transferred", "transferred to another account", "mara-maintainer"],
  ] as const) {
    it(
      `B11: a repository that is ${what} in the middle of a run is followed there`,
      async () => {
        const row = await startRow(stage, name);
        const run = await asksApproval(row);
        const { people } = stage.github;
        const moved = `${owner}/${name.toLowerCase()}-from-now-on`;
        await people.changeRepository(row.repository, { name: moved });
        await approve(row, run);
        const end = await ended(row.stage, row.issue);
        expect(end.outcome?.kind).toBe("merged");
        await expectRowEnds(row.stage, row.issue);
        const { id } = await people.as(stage.maintainer).rest<{ id: number }>("GET", `/repos/${moved}`);
        const paths = [`/repos/${row.repository}/`, `/repos/${moved}/`, `/repositories/${id}/`];
        const merges = (await people.ledger()).filter(({ route }) => route === MERGE);
        expect(merges.filter(({ path }) => paths.some((each) => path.startsWith(each)))).toHaveLength(1);
      },
      LIMIT_MS,
    );
  }

  for (const [name, status] of [
    ["B11gone", 410],
    ["B11law", 451],
  ] as const) {
    it(
      `B11: a ${status} parks the run with the reason, and resume goes on`,
      async () => {
        const order = { method: "POST", path: "/pulls$", status, body: { message: `Played ${status}` } };
        const row = await startRow(stage, name, (at) => fault(at, order));
        const parked = await reaches(row.stage, row.issue, "its parking", ({ waitingFor }) =>
          Boolean(waitingFor?.kind === "operator"),
        );
        expect(parked.waitingFor?.detail).toContain(`Played ${status}`);
        await signal(row.stage, row.issue, "resume", {});
        await approveAndMerge(row);
      },
      LIMIT_MS,
    );
  }

  it(
    "B12: `mergeable: null` for 30 s is waited for on a timer, and the merge is asked for once",
    async () => {
      const row = await startRow(stage, "B12");
      const run = await asksApproval(row);
      await stage.github.people.changeRepository(row.repository, { mergeableDelayMs: 3_600_000 });
      const since = Date.now();
      await approve(row, run);
      await sleep(30_000);
      expect(await requests(row, "PUT", /\/merge$/)).toHaveLength(0);
      const looks = (await requests(row, "GET", /\/pulls\/\d+$/)).filter(({ at }) => Date.parse(at) > since);
      expect(looks.length).toBeGreaterThan(1);
      expect(looks.length).toBeLessThanOrEqual(30);
      await expectToRestOnTimer(row);
      await stage.github.people.changeRepository(row.repository, { mergeableDelayMs: 0 });
      await merged(row);
      expect(await requests(row, "PUT", /\/merge$/)).toHaveLength(1);
    },
    LIMIT_MS,
  );

  it(
    "B7: a secondary limit with retry-after is waited for that long on a durable timer, and no worker is held",
    async () => {
      const headers = { "retry-after": "4" };
      const row = await startRow(stage, "B7", (at) =>
        fault(at, { method: "POST", path: "/pulls$", status: 403, headers, body: SECONDARY }),
      );
      await reaches(row.stage, row.issue, "its wait", ({ waitingFor }) => waitingFor?.kind === "rate-limit");
      await expectToRestOnTimer(row);
      await approveAndMerge(row);
      const [refused, made, ...more] = await requests(row, "POST", /\/pulls$/);
      expect(more).toEqual([]);
      expect(Date.parse(made!.at) - Date.parse(refused!.at)).toBeGreaterThanOrEqual(4_000);
    },
    LIMIT_MS,
  );

  it(
    "B8: a secondary limit without retry-after is waited for a minute at least, and for twice that the next time",
    async () => {
      const row = await startRow(stage, "B8", (at) =>
        fault(at, { method: "POST", path: "/pulls$", status: 403, body: SECONDARY, times: 2 }),
      );
      const limited = (not?: string | null) =>
        reaches(row.stage, row.issue, "its wait", ({ waitingFor }) =>
          Boolean(waitingFor?.kind === "rate-limit" && waitingFor.until !== not),
        );
      const { waitingFor: once } = await limited();
      await expectToRestOnTimer(row);
      const { waitingFor: twice } = await limited(once!.until);
      const [first, second] = await requests(row, "POST", /\/pulls$/);
      expect(Date.parse(second!.at) - Date.parse(first!.at)).toBeGreaterThanOrEqual(60_000);
      expect(Date.parse(twice!.until!) - Date.parse(second!.at)).toBeGreaterThanOrEqual(119_000);
      // It is one limit, however often it was met.
      expect(twice!.since).toBe(once!.since);
      // Two minutes are not waited for here: an operator may try sooner.
      await signal(row.stage, row.issue, "resume", {});
      await approveAndMerge(row);
    },
    LIMIT_MS,
  );

  it(
    "B9: the primary limit is slept on until its reset and a little longer, and those who meet it together do not come back together",
    async () => {
      const reset = Math.ceil(Date.now() / 1000) + 40;
      const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) };
      const body = { message: "API rate limit exceeded for user ID 1." };
      const limit = { method: "POST", path: "/pulls$", status: 403, headers, body };
      const crowd = await Promise.all(CROWD.map((name) => startRow(stage, name, (at) => fault(at, limit))));
      const waits = crowd.map(async (row) => {
        const limited = (run: RunView): boolean => run.waitingFor?.kind === "rate-limit";
        const { waitingFor } = await reaches(row.stage, row.issue, "its wait", limited);
        expect(Date.parse(waitingFor!.until!)).toBeGreaterThanOrEqual(reset * 1000);
        await expectToRestOnTimer(row);
      });
      await Promise.all(waits);
      await Promise.all(crowd.map((row) => approveAndMerge(row)));
      const cameBack = await Promise.all(
        crowd.map(async (row) => {
          const [refused, made, ...more] = await requests(row, "POST", /\/pulls$/);
          expect([refused!.status, more]).toEqual([403, []]);
          return Date.parse(made!.at);
        }),
      );
      expect(Math.min(...cameBack)).toBeGreaterThanOrEqual(reset * 1000);
      // Drawn from five seconds each: four fall into a quarter of a second once in 2,000 times, all together always.
      expect(Math.max(...cameBack) - Math.min(...cameBack)).toBeGreaterThan(250);
    },
    LIMIT_MS,
  );

  it(
    "B10: a token that is refused in the middle parks the run with the reason, and resume goes on",
    async () => {
      const body = { message: "Bad credentials" };
      const row = await startRow(stage, "B10", (at) =>
        fault(at, { method: "POST", path: "/pulls$", status: 401, body }),
      );
      const parked = await reaches(row.stage, row.issue, "its parking", (run) => run.waitingFor?.kind === "operator");
      expect(parked.waitingFor?.detail).toMatch(/Bad credentials.*Is the token or App key still valid/);
      await signal(row.stage, row.issue, "resume", {});
      await approveAndMerge(row);
    },
    LIMIT_MS,
  );
});

function broken(how: { status?: number; drop?: boolean; delayMs?: number }): string {
  if (how.delayMs !== undefined) return "does not come in time";
  return how.drop ? "was cut off" : `was a ${how.status}`;
}

/** It waits on a timer of Temporal's, which outlives every worker, and no worker holds anything of it. */
async function expectToRestOnTimer(row: Row): Promise<void> {
  const connection = await Connection.connect({ address: stage.temporal.address });
  try {
    const handle = new Client({ connection }).workflow.getHandle(issueWorkflowId(row.repository, row.issue));
    // A look at GitHub, or an edit of the progress comment beside the story, is over within a moment.
    const { started, over } = await until("it rests on a timer", async () => {
      const { raw } = await handle.describe();
      if ((raw.pendingActivities ?? []).length > 0) return null;
      const events = (await handle.fetchHistory()).events ?? [];
      const ids = (
        kind: "timerStartedEventAttributes" | "timerFiredEventAttributes" | "timerCanceledEventAttributes",
      ) => events.flatMap((event) => event[kind]?.timerId ?? []);
      return {
        started: ids("timerStartedEventAttributes"),
        over: [...ids("timerFiredEventAttributes"), ...ids("timerCanceledEventAttributes")],
      };
    });
    expect(started.filter((id) => !over.includes(id))).not.toEqual([]);
  } finally {
    await connection.close();
  }
}
