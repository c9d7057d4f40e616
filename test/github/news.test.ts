import { expect, it } from "vitest";
import { createForge } from "../../activities/adapters/github/forge.ts";
import { forgeOptions, makeKey, openedPull, REPOSITORY, setting } from "./github.ts";

const LONG_AGO = "2020-01-01T00:00:00.000Z";

it("tells what changed, who labelled and assigned, and what was said", async () => {
  const at = await setting();
  const maint = at.people.as("maint");
  await at.people.as("reader").openIssue(REPOSITORY, { title: "It is wrong", body: "See a.txt" });
  await maint.label(REPOSITORY, 1, "mergewright");
  await maint.rest("POST", `/repos/${REPOSITORY}/issues/1/assignees`, { assignees: ["bot"] });
  await maint.comment(REPOSITORY, 1, "/mergewright run");
  const edited = await maint.comment(REPOSITORY, 1, "First");
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await maint.rest("PATCH", `/repos/${REPOSITORY}/issues/comments/${edited.id}`, { body: "/mergewright run" });

  const [issue] = await at.forge.changedIssues(REPOSITORY, LONG_AGO);
  expect(issue).toMatchObject({
    number: 1,
    labels: ["mergewright"],
    assignees: ["bot"],
    open: true,
    isPullRequest: false,
  });
  expect(issue?.openedBy).toMatchObject({ login: "reader", isBot: false });
  expect(await at.forge.changedIssues(REPOSITORY, "2100-01-01T00:00:00.000Z")).toEqual([]);
  const triggers = await at.forge.issueTriggers(REPOSITORY, 1);
  expect(triggers.map(({ by, what }) => [by?.login, what.kind])).toEqual([
    ["maint", "labeled"],
    ["maint", "assigned"],
  ]);
  // What was edited is no command, whoever edited it.
  for (const number of [null, 1]) {
    const comments = await at.forge.newComments(REPOSITORY, LONG_AGO, number);
    expect(comments.map(({ body, number: on }) => [body, on])).toEqual([["/mergewright run", 1]]);
  }
});

it("leaves nothing out though issues and comments change while the pages are read", async () => {
  const at = await setting();
  const [maint, reader] = [at.people.as("maint"), at.people.as("reader")];
  const numbers = Array.from({ length: 101 }, (_, index) => index + 1);
  for (const number of numbers) await reader.openIssue(REPOSITORY, { title: `Issue ${number}` });
  const comments: number[] = [];
  for (const number of numbers) comments.push((await maint.comment(REPOSITORY, 1, `Comment ${number}`)).id);
  // GitHub tells times in whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1_100));

  let asked = 0;
  const forge = createForge({
    ...at.options,
    async fetch(url, init) {
      const answer = await at.wire.fetch(url, init);
      asked += 1;
      if (asked === 1) await maint.label(REPOSITORY, 50, "urgent");
      if (asked === 3)
        await maint.rest("PATCH", `/repos/${REPOSITORY}/issues/comments/${comments[49]}`, { body: "Edited" });
      return answer;
    },
  });
  const issues = await forge.changedIssues(REPOSITORY, LONG_AGO);
  expect(new Set(issues.map(({ number }) => number))).toEqual(new Set(numbers));
  expect(issues).toHaveLength(101);
  const told = await forge.newComments(REPOSITORY, LONG_AGO, null);
  expect(new Set(told.map(({ id }) => id))).toEqual(new Set(comments));
  expect(asked).toBe(4);
}, 60_000);

it("tells reviews with their author and commit, and the repositories that we may write to", async () => {
  const at = await setting();
  const { number, sha } = await openedPull(at);
  await at.people.as("maint").review(REPOSITORY, number, { event: "APPROVE" });
  expect(await at.forge.reviews(REPOSITORY, number)).toMatchObject([
    { state: "approved", by: { login: "maint" }, sha },
  ]);
  await at.people.addRepository({ name: "other/read-only", permissions: { bot: "read" } });
  expect(await at.forge.writableRepositories(REPOSITORY, 10)).toEqual([REPOSITORY]);
});

it("lists all attempts of an App's deliveries over all pages, and reads a payload", async () => {
  const at = await setting({ webhook: { url: "http://127.0.0.1:1/", secret: "s" } });
  const key = makeKey();
  const { id } = await at.people.addApp({ slug: "mergewright", publicKey: key.publicKey, installedOn: ["acme"] });
  const auth = { kind: "app" as const, appId: id, privateKey: key.privateKey };
  const app = createForge(forgeOptions(at.server, at.wire, { auth }));
  const reader = at.people.as("reader");
  for (let count = 0; count < 105; count++) await reader.openIssue(REPOSITORY, { title: `Issue ${count}` });
  await at.people.idle();
  const attempts = await app.deliveryAttempts("any/any", LONG_AGO);
  expect(attempts).toHaveLength(105);
  expect(attempts[0]).toMatchObject({ event: "issues", action: "opened", status: 502 });
  expect(await app.deliveryPayload("any/any", attempts.at(-1)!.id)).toMatchObject({
    action: "opened",
    issue: { number: 1 },
  });
  await expect(app.deliveryPayload("any/any", 7)).rejects.toMatchObject({ name: "NotFound" });
  await expect(at.forge.deliveryAttempts("any/any", LONG_AGO)).rejects.toMatchObject({ name: "AccessDenied" });
  expect(await app.deliveryAttempts("any/any", "2100-01-01T00:00:00.000Z")).toEqual([]);
});
