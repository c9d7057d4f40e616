/** Group A: signatures, repetition and order, over real sockets, to the product as a process. */
import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";
import { listen } from "../../api/server.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { createTestApi, delivery, TOKEN } from "../api/support.ts";
import { commentsOf, ended, reaches, signal } from "../e2e/support.ts";
import { GLOBEX_SECRET, reject, webhookStage } from "./webhook-stage.ts";
import { expectDoneOnce, hasRun, resultOfDelivery, runsOf, type Standing } from "./standing-stage.ts";
import { changed, openIssue, recorded, send, signature, approvalOf } from "./webhook-delivery.ts";

const LIMIT_MS = 180_000;
const standing = webhookStage();

/** Refused with 401, and nothing of it reached Temporal. */
async function expectUnheard(at: Standing, issue: number, sent: { guid: string; status: number }): Promise<void> {
  expect(sent.status).toBe(401);
  expect(await resultOfDelivery(at, sent.guid)).toBeNull();
  expect(await hasRun(at, issue)).toBe(false);
}

describe("a signature", () => {
  it("A1: a delivery without a signature is refused and starts nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    for (const header of [null, ""]) {
      const sent = await send(at.stage, opened.payload, { headers: { "x-hub-signature-256": header } });
      await expectUnheard(at, number, sent);
    }
  });

  it("A2: a delivery that is signed with SHA-1 alone is refused and starts nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const sha1 = signature(at.stage.webhookSecret, opened.payload, "sha1");
    const headers = { "x-hub-signature-256": null, "x-hub-signature": sha1 };
    await expectUnheard(at, number, await send(at.stage, opened.payload, { headers }));
    const disguised = { "x-hub-signature-256": sha1 };
    await expectUnheard(at, number, await send(at.stage, opened.payload, { headers: disguised }));
  });

  it("A3: a wrong, truncated, 5 kB long or upper-case digest is refused and starts nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const right = signature(at.stage.webhookSecret, opened.payload);
    const wrong = [
      signature(at.stage.webhookSecret, `${opened.payload} `),
      signature("not the secret", opened.payload),
      right.slice(0, -1),
      `${right}0`,
      right.slice("sha256=".length),
      `sha256=${"a".repeat(5_000)}`,
      `${right},${right}`,
      right.toUpperCase(),
      `sha256=${right.slice("sha256=".length).toUpperCase()}`,
    ];
    for (const digest of wrong) {
      const sent = await send(at.stage, opened.payload, { headers: { "x-hub-signature-256": digest } });
      await expectUnheard(at, number, sent);
    }
  });

  it("A4: a signature made with another tenant's secret is refused, and the tenant's own deliveries are not", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    await expectUnheard(at, number, await send(at.stage, opened.payload, { secret: GLOBEX_SECRET }));
    const theirs = JSON.stringify({
      ...(JSON.parse(opened.payload) as object),
      repository: { full_name: "globex/web" },
      action: "pinned",
    });
    expect((await send(at.stage, theirs)).status).toBe(401);
    expect((await send(at.stage, theirs, { secret: GLOBEX_SECRET })).status).toBe(204);
  });
});

describe("repetition and order", () => {
  it(
    "A5: the same delivery 20 times at once starts one workflow, which does everything once",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      const guid = randomUUID();
      const sent = await Promise.all(Array.from({ length: 20 }, () => send(at.stage, opened.payload, { guid })));
      expect(sent.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202));
      expect(await resultOfDelivery(at, guid)).toContain("started issue/");
      const waiting = await reaches(at.stage, number, "its question", (run) => run.waitingFor?.kind === "approval");
      const { headSha } = waiting.pullRequest!;
      await signal(at.stage, number, "approveMerge", { by: at.stage.maintainer, sha: headSha });
      expect((await ended(at.stage, number)).outcome?.kind).toBe("merged");
      await expectDoneOnce(at, number);
      expect(await runsOf(at, `delivery/${guid}`)).toBe(1);
      expect(await runsOf(at, issueWorkflowId(at.stage.repository, number))).toBe(1);
      expect(await at.surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "A6: a redelivery after the workflow has ended is answered, and starts no new run",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      expect((await send(at.stage, opened.payload, { guid: opened.guid })).status).toBe(202);
      await reaches(at.stage, number, "its first phase", (run) => run.phase !== "received");
      await reject(at.stage, number);
      const before = (await commentsOf(at.stage, number)).length;
      const again = await send(at.stage, opened.payload, { guid: opened.guid });
      // Temporal may have forgotten the first delivery by then; the run itself still knows.
      const later = await send(at.stage, opened.payload);
      expect([again.status, later.status]).toEqual([202, 202]);
      expect(await resultOfDelivery(at, later.guid)).toContain("older than the end of the last run");
      expect(await runsOf(at, issueWorkflowId(at.stage.repository, number))).toBe(1);
      expect(await commentsOf(at.stage, number)).toHaveLength(before);
    },
    LIMIT_MS,
  );

  it(
    "A7: two delivery ids for the same event, of the repository's hook and the App's, start one workflow",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      const both = await Promise.all([send(at.stage, opened.payload), send(at.stage, opened.payload)]);
      expect(both.map(({ status }) => status)).toEqual([202, 202]);
      const results = await Promise.all(both.map(({ guid }) => resultOfDelivery(at, guid)));
      expect(results.filter((result) => result!.startsWith("started "))).toHaveLength(1);
      await reject(at.stage, number);
      expect(await runsOf(at, issueWorkflowId(at.stage.repository, number))).toBe(1);
      const markers = (await commentsOf(at.stage, number)).map(
        ({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0],
      );
      expect(markers).toHaveLength(new Set(markers).size);
    },
    LIMIT_MS,
  );

  it(
    "A8: events that come out of order converge: an early review approves nothing, and what was closed first is not started",
    async () => {
      const at = standing();
      const { stage } = at;
      const closedFirst = await openIssue(stage);
      await stage.github.people.as(stage.maintainer).close(stage.repository, closedFirst.number);
      const closed = await recorded(stage, "issues", "closed", closedFirst.number);
      const gone = await send(stage, closed.payload);
      expect(await resultOfDelivery(at, gone.guid)).toContain("is not running");
      const late = await send(stage, closedFirst.opened.payload);
      expect(await resultOfDelivery(at, late.guid)).toContain("closed by now");
      expect(await hasRun(at, closedFirst.number)).toBe(false);

      const { number, opened } = await openIssue(stage);
      const early = await send(stage, approvalOf(stage, number, "a".repeat(40)), { event: "pull_request_review" });
      expect(early.status).toBe(202);
      expect(await resultOfDelivery(at, early.guid)).toContain("is not running");
      await send(stage, opened.payload);
      await reaches(stage, number, "its work", (run) => run.phase === "working");
      // While the run is at work there is nothing to approve either.
      await send(stage, approvalOf(stage, number, "b".repeat(40)), { event: "pull_request_review" });
      const waiting = await reaches(stage, number, "its question", (run) => run.waitingFor?.kind === "approval");
      expect(waiting.refused).toEqual([expect.objectContaining({ message: "review: approve" })]);
      const { headSha } = waiting.pullRequest!;
      await send(stage, approvalOf(stage, number, headSha), { event: "pull_request_review" });
      expect((await ended(stage, number)).outcome?.kind).toBe("merged");
      await expectDoneOnce(at, number);
    },
    LIMIT_MS,
  );

  it(
    "A9: an issue that is edited, unlabelled, transferred or deleted cancels its run or not as the setting says, and the comment says so",
    async () => {
      const at = standing();
      const { stage } = at;
      const maintainer = stage.github.people.as(stage.maintainer);
      const issues = await Promise.all(
        ["edited", "unlabeled", "transferred", "deleted"].map((title) => openIssue(stage, title)),
      );
      for (const { number, opened } of issues) {
        await send(stage, opened.payload);
        await reaches(stage, number, "its start", () => true);
        await signal(stage, number, "pause", { by: stage.maintainer });
      }
      const [edited, unlabeled, transferred, deleted] = issues.map(({ number }) => number) as [
        number,
        number,
        number,
        number,
      ];
      const path = `/repos/${stage.repository}/issues`;
      await maintainer.rest("PATCH", `${path}/${edited}`, { body: "59.7 s, and 119.7 s." });
      await maintainer.rest("DELETE", `${path}/${unlabeled}/labels/mergewright`);
      await stage.github.people.deleteIssue({ repository: stage.repository, number: deleted, as: stage.maintainer });
      const moved = changed(issues[2]!.opened, { action: "transferred" }, { updated_at: new Date().toISOString() });
      const tell = async (action: string, number: number) =>
        send(stage, (await recorded(stage, "issues", action, number)).payload);
      const told = await Promise.all([
        tell("edited", edited),
        tell("unlabeled", unlabeled),
        tell("deleted", deleted),
        send(stage, moved),
      ]);
      for (const { guid } of told) expect(await resultOfDelivery(at, guid)).toContain("told issue/");

      const cancelled = { kind: "cancelled", reason: expect.stringContaining(`by @${stage.maintainer}`) };
      for (const number of [unlabeled, transferred, deleted])
        expect((await ended(stage, number)).outcome).toEqual(cancelled);
      const said = async (number: number) => (await commentsOf(stage, number)).map(({ body }) => body).join("\n");
      expect(await said(unlabeled)).toContain("the issue lost the label that starts runs");
      expect(await said(transferred)).toContain("the issue was transferred");

      const goesOn = await reaches(stage, edited, "its note", (run) => run.notices.length > 0);
      expect(goesOn.outcome).toBeNull();
      await expect.poll(() => said(edited), { timeout: 30_000 }).toContain("The issue was edited");
      expect(await said(edited)).toContain("The text at the trigger counts");
      await reject(stage, edited);
      expect(await at.surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it("A10: an unknown event, an unknown action and a ping are answered, counted, and start nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const cases = [
      ["sponsorship", "{}", 204],
      ["issues", changed(opened, { action: "pinned" }), 204],
      ["ping", '{"zen":"Keep it logically awesome."}', 202],
    ] as const;
    for (const [event, body, status] of cases) {
      const sent = await send(at.stage, body, { event });
      expect([event, sent.status]).toEqual([event, status]);
      expect(await resultOfDelivery(at, sent.guid)).toBeNull();
    }
    expect(await hasRun(at, number)).toBe(false);

    const { app, counts } = createTestApi();
    const served = await listen(app, { host: "127.0.0.1", port: 0, apiToken: TOKEN });
    for (const [event, body] of cases) await fetch(`${served.url}/webhook/github`, delivery(body, { event }));
    await served.close();
    expect(counts.snapshot()).toEqual({ webhook: { unknown: 2, ignored: 1 } });
  });
});
