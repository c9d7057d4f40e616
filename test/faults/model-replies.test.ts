/** Group C: Claude answers oddly, goes round in circles, or comes to nothing. A real worker against a played Claude. */
import { describe, expect, it } from "vitest";
import { ended, reaches, signal } from "../e2e/support.ts";
import { startRow, titleOf } from "./github-rows.ts";
import { asked, byRole, goesOn, reject, said, start } from "./model-rows.ts";
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
import { expectDoneOnce, pullsOpened, standingStage } from "./standing-stage.ts";

const LIMIT_MS = 180_000;
const TURNS = 15;
/** Some replies of the planner and the coder, and fewer than they may take. */
const TOKENS = 20_000;
const heard: string[] = [];

/** Of repositories of their own, whose runs meet just this one. */
const limited = { c10money: "budget_usd: 0.000001", c10time: "minutes: 0.15", c10tokens: `tokens: ${TOKENS}` };
const standing = standingStage({
  scenarios: [
    usual("C7 of the usual story"),
    usual("C8 of the usual story"),
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
  ],
  settings: `limits:
  turns: ${TURNS}
  verification_rounds: 1
repositories:
${Object.entries(limited)
  .map(([name, limit]) => `  demo-tools/row-${name}: { limits: { ${limit} } }\n`)
  .join("")}`,
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
      const entries = await goesOn(stage, "C8 of the usual story", ({ model }) =>
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
