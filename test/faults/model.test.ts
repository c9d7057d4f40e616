/** Group C: Claude limits us, fails, or breaks off. A real worker against a played Claude. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createModel } from "../../activities/adapters/anthropic/model.ts";
import type { RunView } from "../../api/run-view.ts";
import { startModel } from "../../demo/model/server.ts";
import type { Stage } from "../../demo/stage.ts";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { reaches, signal, until } from "../e2e/support.ts";
import { options, request, say } from "../model/support.ts";
import { asked, byRole, classified, goesOn, reject, said, start } from "./model-rows.ts";
import { usual } from "./model-scenarios.ts";
import { standingStage } from "./standing-stage.ts";

const LIMIT_MS = 180_000;

const rows = ["C1", "C2", "C3", "C4", "C5", "C6", "C11"];
const scenarios = rows.map((row) => usual(`${row} of the usual story`));
/** Timers of 100 s and more run this much faster in the product: nobody waits two minutes here for the limit that it has by itself. */
const QUICKER = 60;
const IDLE_LIMIT_S = 120;
const standing = standingStage({
  scenarios,
  env: {
    NODE_OPTIONS: `--import=${fileURLToPath(new URL("harness/quick-timers.mjs", import.meta.url))}`,
    QUICK_TIMERS: String(QUICKER),
  },
});

describe("an answer that asks to wait, or fails", () => {
  it(
    "C1: 429 with retry-after: 2 is waited for at least 2 s, once",
    async () => {
      const [first, second, ...more] = await goesOn(standing().stage, "C1 of the usual story", ({ model }) =>
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
      const entries = await goesOn(standing().stage, "C2 of the usual story", ({ model }) =>
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
      const entries = await goesOn(standing().stage, `${name.slice(0, 2)} of the usual story`, ({ model }) =>
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
      const entries = await goesOn(stage, "C6 of the usual story", ({ model }) =>
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
