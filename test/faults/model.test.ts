/** Group C: Claude limits us, fails, breaks off, answers oddly, or goes round in circles. A real worker against a played Claude. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createModel } from "../../activities/adapters/anthropic/model.ts";
import type { RunView } from "../../api/run-view.ts";
import type { LedgerEntry } from "../../demo/model/ledger.ts";
import { startModel } from "../../demo/model/server.ts";
import type { Stage } from "../../demo/stage.ts";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { commentsOf, ended, reaches, signal, until } from "../e2e/support.ts";
import { options, request, say } from "../model/support.ts";
import {
  alternating,
  endless,
  monologue,
  nothingDone,
  redTests,
  sameCall,
  slow,
  usual,
  withBadCalls,
  wrongInput,
} from "./model-scenarios.ts";
import { startRow, titleOf } from "./github-rows.ts";
import { expectDoneOnce, pullsOpened, standingStage } from "./standing-stage.ts";

const LIMIT_MS = 180_000;
const TURNS = 15;
/** Some replies of the planner and the coder, and fewer than they may take. */
const TOKENS = 20_000;
const heard: string[] = [];

const rows = ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C11"];
const scenarios = [
  ...rows.map((row) => usual(`${row} of the usual story`)),
  withBadCalls("C9 bad calls", heard),
  sameCall("C10 the same call"),
  alternating("C10 pairs"),
  monologue("C10 monologue"),
  endless("C10 endless"),
  usual(titleOf("C10money")),
  slow(titleOf("C10time")),
  endless(titleOf("C10tokens")),
  wrongInput("C7 wrong input"),
  nothingDone("C12 nothing done"),
  redTests("C12 red tests"),
];
/** Timers of 100 s and more run this much faster in the product: nobody waits two minutes here for the limit that it has by itself. */
const QUICKER = 60;
const IDLE_LIMIT_S = 120;
/** Of repositories of their own, whose runs meet just this one. */
const limited = { c10money: "budget_usd: 0.000001", c10time: "minutes: 0.15", c10tokens: `tokens: ${TOKENS}` };
const standing = standingStage({
  scenarios,
  env: {
    NODE_OPTIONS: `--import=${fileURLToPath(new URL("harness/quick-timers.mjs", import.meta.url))}`,
    QUICK_TIMERS: String(QUICKER),
  },
  settings: `limits:
  turns: ${TURNS}
  verification_rounds: 1
repositories:
${Object.entries(limited)
  .map(([name, limit]) => `  demo-tools/row-${name}: { limits: { ${limit} } }\n`)
  .join("")}`,
});

async function start(stage: Stage, title: string): Promise<number> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title, body: "59.7 s." });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  return number;
}

const classified = (stage: Stage, issue: number): Promise<RunView> =>
  reaches(stage, issue, "its classification", (run) => run.category !== null);

async function reject(stage: Stage, issue: number): Promise<void> {
  await signal(stage, issue, "reject", { by: stage.maintainer, reason: "enough seen" });
  expect((await ended(stage, issue)).outcome?.kind).toBe("declined");
}

/** Runs `play` on a run of its own and tells what was asked of Claude meanwhile. */
async function asked(stage: Stage, play: () => Promise<void>): Promise<LedgerEntry[]> {
  const before = stage.model!.ledger.read().entries.length;
  await play();
  expect(stage.model!.ledger.read().totals.paidTwice).toBe(0);
  return stage.model!.ledger.read().entries.slice(before);
}

const byRole = (entries: readonly LedgerEntry[], role: string): LedgerEntry[] =>
  entries.filter((entry) => entry.role === role);

const said = async (stage: Stage, issue: number): Promise<string> =>
  (await commentsOf(stage, issue)).map(({ body }) => body).join("\n");

/** A run whose first call meets the faults, and goes on. */
async function goesOn(title: string, order: (stage: Stage) => void): Promise<LedgerEntry[]> {
  const { stage } = standing();
  return asked(stage, async () => {
    order(stage);
    const issue = await start(stage, title);
    await classified(stage, issue);
    await reject(stage, issue);
  }).then((entries) => byRole(entries, "classifier"));
}

describe("an answer that asks to wait, or fails", () => {
  it(
    "C1: 429 with retry-after: 2 is waited for at least 2 s, once",
    async () => {
      const [first, second, ...more] = await goesOn("C1 of the usual story", ({ model }) =>
        model!.faults.add({ kind: "rate-limit", retryAfter: "2", role: "classifier" }),
      );
      expect([first!.status, second!.status, more]).toEqual([429, 200, []]);
      expect(second!.receivedMs - first!.receivedMs).toBeGreaterThanOrEqual(2_000);
      expect(second!.receivedMs - first!.receivedMs).toBeLessThan(20_000);
    },
    LIMIT_MS,
  );

  it(
    "C2: 529 twice, then fine, goes on by itself",
    async () => {
      const entries = await goesOn("C2 of the usual story", ({ model }) =>
        model!.faults.add({ kind: "overloaded", times: 2, role: "classifier" }),
      );
      expect(entries.map(({ status }) => status)).toEqual([529, 529, 200]);
    },
    LIMIT_MS,
  );

  it(
    "C3: 500, 502 and a refused connection are tried a few times, then the run is parked, says so, and goes on by itself",
    async () => {
      const { stage, client } = standing();
      for (const status of [500, 502, null]) {
        const { url } = stage.model!;
        if (status === null) await stage.model!.close();
        else stage.model!.faults.add({ kind: "status", status, times: 1_000, role: "classifier" });
        const issue = await start(stage, "C3 of the usual story");
        const parked = await reaches(stage, issue, "its wait", (run) => run.waitingFor?.kind === "outage");
        expect(parked.waitingFor!.detail).toMatch(status === null ? /could not be reached/ : new RegExp(`${status}`));
        const agent = client.workflow.getHandle(`${issueWorkflowId(stage.repository, issue)}/classifier`);
        const { raw } = await agent.describe();
        expect(raw.pendingActivities ?? []).toEqual([]);
        if (status === null) {
          stage.model = await startModel({ scenarios, port: Number(new URL(url).port), thinkMs: 30 });
        } else {
          const tries = stage.model!.ledger.read().entries.filter((entry) => entry.status === status);
          expect(tries.length).toBeLessThanOrEqual(8);
          stage.model!.faults.clear();
        }
        // Nobody resumes it.
        await classified(stage, issue);
        await reject(stage, issue);
      }
    },
    LIMIT_MS,
  );

  it.each([
    ["400", 400, "invalid_request_error"],
    ["401", 401, "authentication_error"],
    ["403", 403, "permission_error"],
  ])(
    "C11: a %s is not tried again, and the run waits for an operator with the reason",
    async (_what, status, type) => {
      const { stage } = standing();
      const entries = await asked(stage, async () => {
        stage.model!.faults.add({ kind: "status", status, type, message: "no such thing here", role: "classifier" });
        const issue = await start(stage, "C11 of the usual story");
        const parked = await until("its wait", async () => {
          const run = (await fetchRun(stage, issue)) ?? null;
          return run?.waitingFor?.kind === "operator" ? run : null;
        });
        expect(parked.waitingFor!.detail).toContain("no such thing here");
        await expect.poll(() => said(stage, issue), { timeout: 30_000 }).toContain("no such thing here");
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        await signal(stage, issue, "resume", { by: stage.maintainer });
        // The wait may be shown for a moment longer.
        await until("its classification", async () => (await fetchRun(stage, issue))?.category);
        await reject(stage, issue);
      });
      expect(byRole(entries, "classifier").map((entry) => entry.status)).toEqual([status, 200]);
    },
    LIMIT_MS,
  );
});

async function fetchRun(stage: Stage, issue: number): Promise<RunView | null> {
  const id = encodeURIComponent(issueWorkflowId(stage.repository, issue));
  const answer = await fetch(`${stage.url}/api/tasks/${id}`);
  return answer.ok ? ((await answer.json()) as RunView) : null;
}

describe("a stream", () => {
  it.each([
    ["C4: that breaks in the middle is asked for again, the same turn", "drop"],
    ["C4: that ends before its message does is asked for again, the same turn", "end-early"],
    ["C5: with an error event (overloaded) is asked for again, the same turn", "error-event"],
  ] as const)(
    "%s",
    async (name, kind) => {
      const entries = await goesOn(`${name.slice(0, 2)} of the usual story`, ({ model }) =>
        model!.faults.add({ kind, role: "classifier" }),
      );
      expect(entries.map(({ fault, delivered }) => [fault, delivered])).toEqual([
        [kind, false],
        [null, true],
      ]);
      expect(new Set(entries.map(({ digest }) => digest)).size).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    "C6: that stalls is given up by the limit that the product has by itself, and the turn is asked for again",
    async () => {
      const { stage } = standing();
      const entries = await goesOn("C6 of the usual story", ({ model }) =>
        model!.faults.add({ kind: "stall", role: "classifier" }),
      );
      expect(entries.map(({ fault, delivered }) => [fault, delivered])).toEqual([
        ["stall", false],
        [null, true],
      ]);
      expect(entries[1]!.receivedMs - entries[0]!.receivedMs).toBeGreaterThanOrEqual((IDLE_LIMIT_S * 1_000) / QUICKER);
      expect(await readFile(stage.logFile, "utf8")).toContain(`Claude sent nothing for ${IDLE_LIMIT_S} s`);
    },
    LIMIT_MS,
  );

  it("C6: that stalls without bytes is given up by our own idle limit, and is worth another try", async () => {
    const { stage } = standing();
    const model = createModel({ apiKey: "played", baseUrl: stage.model!.url, idleTimeoutMs: 700 });
    const asking = request("classifier", [say("# Brief: start\n\nC6 of the usual story")]);
    stage.model!.faults.add({ kind: "stall", afterEvents: 2 });
    stage.model!.faults.add({ kind: "stall", afterEvents: 0 });
    for (let attempt = 0; attempt < 2; attempt++) {
      const started = performance.now();
      const reply = model.reply(asking, options());
      await expect(reply).rejects.toBeInstanceOf(ServiceUnavailable);
      expect(performance.now() - started).toBeLessThan(5_000);
    }
    const settled = await model.reply(asking, options());
    expect(settled.stopReason).toBe("end_turn");
  });

  it(
    "C6: that stalls with nothing but pings for a while is not given up, and a run that is waiting for it can be stopped",
    async () => {
      const { stage } = standing();
      stage.model!.faults.add({ kind: "stall", ms: 600_000, pings: true, role: "classifier" });
      const issue = await start(stage, "C6 of the usual story");
      await until("Claude is asked", async () => stage.model!.ledger.read().entries.at(-1)?.fault === "stall");
      await reject(stage, issue);
    },
    LIMIT_MS,
  );
});

describe("an odd reply", () => {
  it(
    "C7: a reply that is cut inside a tool call, and invalid tool input, are asked for again, and the run ends merged",
    async () => {
      const at = standing();
      const { stage } = at;
      const entries = await asked(stage, async () => {
        stage.model!.faults.add({ kind: "max-tokens", role: "coder", turn: 0 });
        const issue = await start(stage, "C7 of the usual story");
        const waiting = await reaches(stage, issue, "its question", (run) => run.waitingFor?.kind === "approval");
        await signal(stage, issue, "approveMerge", { by: stage.maintainer, sha: waiting.pullRequest!.headSha });
        expect((await ended(stage, issue)).outcome?.kind).toBe("merged");
        await expectDoneOnce(at, issue);
      });
      expect(entries.filter(({ stopReason }) => stopReason === "max_tokens")).toHaveLength(1);

      stage.model!.faults.add({ kind: "max-tokens", role: "planner", times: 100 });
      const bounded = await asked(stage, async () => {
        const issue = await start(stage, "C7 of the usual story");
        expect((await ended(stage, issue)).outcome).toMatchObject({
          kind: "failed",
          reason: expect.stringContaining("usable answer"),
        });
      });
      stage.model!.faults.clear();
      expect(byRole(bounded, "planner").length).toBeLessThanOrEqual(5);
    },
    LIMIT_MS,
  );

  it(
    "C7: a tool that is called with invalid input again and again is not called for ever",
    async () => {
      const { stage } = standing();
      const entries = await asked(stage, async () => {
        const issue = await start(stage, "C7 wrong input");
        const { outcome } = await ended(stage, issue);
        expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringMatching(/round in circles/) });
      });
      expect(byRole(entries, "coder").length).toBeGreaterThan(1);
      expect(byRole(entries, "coder").length).toBeLessThan(TURNS);
    },
    LIMIT_MS,
  );

  it(
    "C8: a refusal and a full context window end the run with the reason, a paused turn goes on",
    async () => {
      const { stage } = standing();
      const entries = await goesOn("C8 of the usual story", ({ model }) =>
        model!.faults.add({ kind: "stop", reason: "pause_turn", role: "classifier" }),
      );
      expect(entries.map(({ stopReason }) => stopReason)).toEqual(["pause_turn", "end_turn"]);
      for (const [reason, words] of [
        ["refusal", "Claude declined to work on this"],
        ["model_context_window_exceeded", "no longer fits into the model's context window"],
      ] as const) {
        stage.model!.faults.add({ kind: "stop", reason, role: "classifier" });
        const issue = await start(stage, "C8 of the usual story");
        const { outcome } = await ended(stage, issue);
        expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringContaining(words) });
        expect(await said(stage, issue)).toContain(words.replace("'", "&#39;").split("&")[0]);
      }
    },
    LIMIT_MS,
  );

  it(
    "C9: an unknown tool, wrong arguments and a path outside the workspace are told to the model, and the loop goes on",
    async () => {
      const at = standing();
      const { stage } = at;
      const issue = await start(stage, "C9 bad calls");
      const waiting = await reaches(stage, issue, "its question", (run) => run.waitingFor?.kind === "approval");
      expect(heard).toHaveLength(7);
      expect(heard[0]).toMatch(/no_such_tool/);
      for (const answer of heard) expect(answer.length).toBeGreaterThan(10);
      expect(heard.join("\n")).not.toContain("root:x:0");
      await signal(stage, issue, "approveMerge", { by: stage.maintainer, sha: waiting.pullRequest!.headSha });
      expect((await ended(stage, issue)).outcome?.kind).toBe("merged");
      await expectDoneOnce(at, issue);
    },
    LIMIT_MS,
  );
});

describe("an agent that comes to nothing", () => {
  it.each([
    [
      "C10: the same call 50 times is stopped after it was told once",
      "C10 the same call",
      /round in circles: the same call/,
      9,
    ],
    [
      "C10: alternating pairs are stopped after it was told once",
      "C10 pairs",
      /round in circles: the same two calls/,
      13,
    ],
    ["C10: a monologue is stopped after a few words of ours", "C10 monologue", /did not give a usable answer/, 4],
    ["C10: what never repeats and never ends meets the limit on turns", "C10 endless", /limits\.turns/, TURNS],
  ])(
    "%s",
    async (_what, title, reason, replies) => {
      const { stage, surroundings } = standing();
      const pulls = (await pullsOpened(stage)).length;
      const entries = await asked(stage, async () => {
        const issue = await start(stage, title);
        const { outcome } = await ended(stage, issue);
        expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringMatching(reason) });
        expect(await said(stage, issue)).toMatch(/Not resolved.*gave up/);
      });
      const role = title.endsWith("monologue") ? "planner" : "coder";
      expect(byRole(entries, role)).toHaveLength(replies);
      expect(await pullsOpened(stage)).toHaveLength(pulls);
      expect(await surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "C10: what goes on spending meets the limit on money, waits, and goes on when there is more",
    async () => {
      const { stage, issue } = await startRow(standing().stage, "C10money");
      const waiting = await reaches(stage, issue, "its wait", (run) => run.waitingFor?.kind === "budget");
      expect(waiting.waitingFor!.detail).toContain("raiseBudget");
      expect(waiting.modelCalls).toBe(1);
      await signal(stage, issue, "raiseBudget", { by: stage.maintainer, usd: 5 });
      await reaches(stage, issue, "its question", (run) => run.waitingFor?.kind === "approval");
      await reject(stage, issue);
    },
    LIMIT_MS,
  );

  it.each([
    ["time", "C10time", /gave up: limits\.minutes: 0\.15 minutes of work/],
    ["tokens", "C10tokens", /gave up: limits\.tokens: \d+ tokens were used/],
  ])(
    "C10: what never ends meets the limit on %s, and says so on the issue",
    async (_what, name, reason) => {
      const on = standing();
      const entries = await asked(on.stage, async () => {
        const { stage, issue } = await startRow(on.stage, name);
        const { outcome } = await ended(stage, issue);
        expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringMatching(reason) });
        expect(await said(stage, issue)).toMatch(/Not resolved.*gave up/);
      });
      const replies = byRole(entries, "coder");
      expect(replies.length).toBeGreaterThan(1);
      expect(replies.length).toBeLessThan(TURNS);
      expect(await on.surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'C12: "done" with an empty diff ends without a pull request and with an honest comment',
    async () => {
      const { stage } = standing();
      const pulls = (await pullsOpened(stage)).length;
      const issue = await start(stage, "C12 nothing done");
      const { outcome } = await ended(stage, issue);
      expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringContaining("changed nothing") });
      expect(await pullsOpened(stage)).toHaveLength(pulls);
      const comments = await said(stage, issue);
      expect(comments).toContain("Not resolved");
      expect(comments).toContain("changed nothing");
    },
    LIMIT_MS,
  );

  it(
    'C12: "done" with red tests becomes a draft that says so, and nothing is merged unasked',
    async () => {
      const { stage } = standing();
      const issue = await start(stage, "C12 red tests");
      const waiting = await reaches(stage, issue, "its question", (run) => run.waitingFor?.kind === "approval");
      expect(waiting.waitingFor!.detail).toContain("Not verified");
      const pull = await stage.github.people
        .as(stage.maintainer)
        .rest<{ draft: boolean; body: string; merged: boolean }>(
          "GET",
          `/repos/${stage.repository}/pulls/${waiting.pullRequest!.number}`,
        );
      expect(pull).toMatchObject({ draft: true, merged: false });
      expect(pull.body).toContain("not verified");
      await reject(stage, issue);
    },
    LIMIT_MS,
  );
});
