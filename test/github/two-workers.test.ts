/** Two processes at one effect: an attempt that was taken for dead goes on beside the one that follows it. */
import { describe, expect, it, vi } from "vitest";
import { createForge } from "../../activities/adapters/github/forge.ts";
import type { Forge } from "../../domain/ports.ts";
import { BRANCH, forgeOptions, openedPull, REPOSITORY, setting, type Setting } from "./github.ts";

const MARKER = "<!-- mergewright:progress run=k -->";
const PULL = { head: BRANCH, base: "main", title: "Make it right", body: "Closes #1", draft: false };

it.each([0, 1])("at one comment leave one, and both know it as theirs (%s is ahead)", async (ahead) => {
  const { workers, at } = await twoWorkers("POST", /\/issues\/1\/comments$/, ahead);
  await at.people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
  const put = (forge: Forge, body: string) => forge.putComment(REPOSITORY, 1, { marker: MARKER, body, id: null });
  const [one, two] = await Promise.all([put(workers[0], "Working"), put(workers[1], "Working")]);
  expect(one.id).toBe(two.id);
  expect(await ours(at)).toEqual([{ id: one.id, body: `${MARKER}\nWorking` }]);
  expect(await put(workers[1], "Done")).toMatchObject({ id: one.id });
});

it("at one comment, one of them killed before it looked again, leave one with the next that is said", async () => {
  const { workers, at } = await twoWorkers("POST", /\/issues\/1\/comments$/, 0);
  await at.people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
  const put = (forge: Forge, body: string) => forge.putComment(REPOSITORY, 1, { marker: MARKER, body, id: null });
  // Neither gets to look after it has made it: two lists before, and these fail.
  await at.people.fault({ method: "GET", path: "/comments", skip: 2, times: 2, status: 502 });
  const lost = await Promise.allSettled(workers.map((forge) => put(forge, "Working")));
  expect(lost.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await ours(at)).toHaveLength(2);
  const { id } = await put(workers[0], "Done");
  expect(await ours(at)).toEqual([{ id, body: `${MARKER}\nDone` }]);
});

it("at one pull request leave one, and both know it", async () => {
  const { workers, at } = await twoWorkers("POST", /\/pulls$/, 0);
  await at.people.push({ as: "bot", repository: REPOSITORY, branch: BRANCH, files: { "a.txt": "two\n" } });
  const opened = await Promise.all(workers.map((forge) => forge.openPullRequest(REPOSITORY, PULL)));
  expect(opened[0]!.number).toBe(opened[1]!.number);
  expect((await at.people.ledger()).filter(({ route }) => route.endsWith("/pulls"))).toHaveLength(1);
});

describe("at one review", () => {
  const REVIEWS = `/repos/${REPOSITORY}/pulls/2/reviews`;
  const put = (forge: Forge, sha: string, round = 1, line = 1) =>
    forge.putReview(REPOSITORY, 2, {
      marker: `<!-- mergewright:review-${round} run=k -->`,
      commitId: sha,
      body: "One thing.",
      comments: [{ path: "a.txt", line, body: "Why two?" }],
    });
  const seenBy = async ({ people }: Setting, who: string): Promise<{ id: number; state: string; body: string }[]> =>
    (await people.as(who).rest("GET", REVIEWS)) as { id: number; state: string; body: string }[];

  it.each(["POST /reviews", "POST /events"])("leave one, and both know it (they meet at %s)", async (meeting) => {
    for (const ahead of [0, 1]) {
      const { workers, at } = await twoWorkers("POST", new RegExp(`${meeting.split(" ")[1]}$`), ahead);
      const { sha } = await openedPull(at);
      const [one, two] = await Promise.all([put(workers[0], sha), put(workers[1], sha)]);
      expect(one.id).toBe(two.id);
      expect(await seenBy(at, "bot")).toMatchObject([{ id: one.id, state: "COMMENTED" }]);
      expect(await at.people.as("reader").rest("GET", `/repos/${REPOSITORY}/pulls/2/comments`)).toHaveLength(1);
    }
  });

  it("leave one where the other had submitted its own before", async () => {
    let done: () => void = () => undefined;
    const { workers, at } = await twoWorkers("POST", /\/reviews$/, 0, new Promise((resolve) => (done = resolve)));
    const { sha } = await openedPull(at);
    const [one, two] = await Promise.all([put(workers[0], sha).finally(done), put(workers[1], sha)]);
    expect(one.id).toBe(two.id);
    const discarded = (await at.people.ledger()).filter(({ method }) => method === "DELETE");
    expect(discarded.map(({ path }) => path)).toEqual([expect.not.stringMatching(new RegExp(`/${one.id}$`))]);
    expect(await seenBy(at, "bot")).toMatchObject([{ id: one.id, state: "COMMENTED" }]);
  });

  it("leave one where the first died before it was submitted; nobody has seen the draft", async () => {
    const at = await setting();
    const { sha } = await openedPull(at);
    await at.people.fault({ method: "POST", path: "/events$", status: 502 });
    await expect(put(at.forge, sha)).rejects.toThrow();
    expect(await seenBy(at, "bot")).toMatchObject([{ state: "PENDING" }]);
    expect(await seenBy(at, "reader")).toEqual([]);
    const { id } = await put(at.forge, sha);
    expect(await seenBy(at, "reader")).toMatchObject([{ id, state: "COMMENTED" }]);
  });

  it("is made at once where a draft cannot be submitted, with what GitHub takes of it", async () => {
    const at = await setting();
    const { sha } = await openedPull(at);
    const body = { message: "Not Found", documentation_url: "https://docs.github.com/rest" };
    await at.people.fault({ method: "POST", path: "/events$", status: 404, body });
    const { id } = await put(at.forge, sha, 1, 99);
    expect(await seenBy(at, "bot")).toMatchObject([
      { id, state: "COMMENTED", body: expect.stringContaining("Why two?") as string },
    ]);
  });

  it("discards the draft of an earlier round that nobody submitted", async () => {
    const at = await setting();
    const { sha } = await openedPull(at);
    await at.people.fault({ method: "POST", path: "/events$", status: 502 });
    await expect(put(at.forge, sha)).rejects.toThrow();
    const { id } = await put(at.forge, sha, 2);
    expect(await seenBy(at, "bot")).toMatchObject([{ id, body: expect.stringContaining("review-2") as string }]);
  });

  it("leaves a draft alone that a person has under our account, and says what stands in the way", async () => {
    const at = await setting();
    const { sha } = await openedPull(at);
    await at.people.as("bot").rest("POST", REVIEWS, { body: "I am not done" });
    await expect(put(at.forge, sha)).rejects.toThrow(/begun one there that is not submitted.*Submit or discard it/s);
    expect(await seenBy(at, "bot")).toMatchObject([{ state: "PENDING", body: "I am not done" }]);
  });
});

it("at the same labels leave each label once", async () => {
  const { workers, at } = await twoWorkers("POST", /\/labels$/, 0);
  await at.people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
  await Promise.all(workers.map((forge) => forge.addLabels(REPOSITORY, 1, ["bug", "mergewright:working"])));
  expect((await at.forge.issue(REPOSITORY, 1)).labels.toSorted()).toEqual(["bug", "mergewright:working"]);
});

async function ours({ people }: Setting): Promise<{ id: number; body: string }[]> {
  const comments = (await people.as("bot").rest("GET", `/repos/${REPOSITORY}/issues/1/comments`)) as {
    id: number;
    body: string;
  }[];
  return comments.map(({ id, body }) => ({ id, body }));
}

/**
 * Their requests of this kind meet: none goes out before the other has come as far; then `ahead` goes first, and the other after
 * its answer and whatever else is waited for.
 */
async function twoWorkers(
  method: string,
  path: RegExp,
  ahead: number,
  after: Promise<void> = Promise.resolve(),
): Promise<{ at: Setting; workers: [Forge, Forge] }> {
  const at = await setting();
  let first: () => void = () => undefined;
  const firstIsOut = new Promise<void>((resolve) => (first = resolve));
  let arrived = 0;
  let met: () => void = () => undefined;
  const meeting = new Promise<void>((resolve) => (met = resolve));
  const meetingFetch = (mine: number) => async (url: string, init?: RequestInit) => {
    if ((init?.method ?? "GET") !== method || !path.test(new URL(url).pathname)) return at.wire.fetch(url, init);
    if ((arrived += 1) === 2) met();
    await meeting;
    if (mine !== ahead) await Promise.all([firstIsOut, after]);
    return at.wire.fetch(url, init).finally(first);
  };
  // A process of its own knows nothing of what the other is about to do.
  vi.resetModules();
  const other = await import("../../activities/adapters/github/forge.ts");
  const workers: [Forge, Forge] = [
    createForge(forgeOptions(at.server, at.wire, { fetch: meetingFetch(0) })),
    other.createForge(forgeOptions(at.server, at.wire, { fetch: meetingFetch(1) })),
  ];
  return { at, workers };
}
