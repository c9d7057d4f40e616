import { describe, expect, it } from "vitest";
import { ROUTES } from "../../demo/github/routes.ts";
import { BRANCH, openedPull, REPOSITORY, setting } from "./github.ts";
import { github } from "./openapi/wire.ts";

describe("the adapter against the played GitHub", () => {
  it("plays no route that GitHub's description lacks", () => {
    expect(github.lacking).toEqual([]);
    expect(Object.values(github.paths).flatMap((methods) => Object.keys(methods))).toHaveLength(ROUTES.length);
  });

  it("knows who it is, what the repository is and what people may do in it", async () => {
    const { forge } = await setting();
    expect(await forge.viewer(REPOSITORY)).toMatchObject({ login: "bot", kind: "user" });
    expect(await forge.repository("ACME/Widget")).toMatchObject({
      fullName: REPOSITORY,
      defaultBranch: "main",
      private: false,
    });
    const permissions = await Promise.all(
      ["acme", "maint", "bot", "reader", "stranger", "nobody", "", "../x"].map((who) =>
        forge.permission(REPOSITORY, who),
      ),
    );
    expect(permissions).toEqual(["admin", "maintain", "write", "read", "read", "none", "none", "none"]);
  });

  it("reads an issue, labels it, assigns it, reacts to it and closes it, each as often as it likes", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong", body: "See a.txt" });
    const { id } = await people.as("reader").comment(REPOSITORY, 1, "Please");
    for (let time = 0; time < 2; time++) {
      await forge.addLabels(REPOSITORY, 1, ["bug", "mergewright:working"]);
      await forge.assign(REPOSITORY, 1, "bot");
      await forge.react(REPOSITORY, { issue: 1 }, "eyes");
      await forge.react(REPOSITORY, { comment: id }, "rocket");
      await forge.removeLabel(REPOSITORY, 1, "bug");
      await forge.closeIssue(REPOSITORY, 1);
    }
    const issue = await forge.issue(REPOSITORY, 1);
    expect(issue).toMatchObject({
      title: "It is wrong",
      body: "See a.txt",
      author: "reader",
      state: "closed",
      isPullRequest: false,
    });
    expect(issue.labels).toEqual(["mergewright:working"]);
    await expect(forge.assign(REPOSITORY, 1, "stranger")).rejects.toMatchObject({ name: "RequestRefused" });
  });

  it("keeps one comment for each marker and edits it in place", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    const marker = "<!-- mergewright:progress run=k -->";
    await people.as("maint").comment(REPOSITORY, 1, `${marker} copied by a person`);
    const first = await forge.putComment(REPOSITORY, 1, { marker, body: "Working", id: null });
    const again = await forge.putComment(REPOSITORY, 1, { marker, body: "Still working", id: null });
    const known = await forge.putComment(REPOSITORY, 1, { marker, body: "Done", id: first.id });
    expect([again.id, known.id]).toEqual([first.id, first.id]);
    expect((await forge.findComment(REPOSITORY, 1, marker))?.body).toBe(`${marker}\nDone`);
    expect(await forge.findComment(REPOSITORY, 1, "<!-- mergewright:ending run=k -->")).toBeNull();
  });

  it("finds its comment behind more than a page of others", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    const reader = people.as("reader");
    for (let number = 0; number < 100; number++) await reader.comment(REPOSITORY, 1, `Comment ${number}`);
    const made = await forge.putComment(REPOSITORY, 1, { marker: "<!-- m -->", body: "Ours", id: null });
    expect((await forge.findComment(REPOSITORY, 1, "<!-- m -->"))?.id).toBe(made.id);
  });

  it("makes one comment when two attempts run at once", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    const put = () => forge.putComment(REPOSITORY, 1, { marker: "<!-- m -->", body: "Ours", id: null });
    const [one, two] = await Promise.all([put(), put()]);
    expect(one.id).toBe(two.id);
  });

  it("leaves a comment deleted that a person deleted", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    const comment = { marker: "<!-- m -->", body: "Ours", id: null };
    const { id } = await forge.putComment(REPOSITORY, 1, comment);
    await people.as("maint").rest("DELETE", `/repos/${REPOSITORY}/issues/comments/${id}`);
    await forge.putComment(REPOSITORY, 1, { ...comment, body: "Again", id });
    expect(await forge.findComment(REPOSITORY, 1, comment.marker)).toBeNull();
  });

  it("cuts a comment that is too long, and keeps its marker", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    const body = `\`\`\`\n${"🙂".repeat(50_000)}\n<!-- m -->`;
    const { body: stored } = await forge.putComment(REPOSITORY, 1, { marker: "<!-- m -->", body, id: null });
    expect(stored.length).toBeLessThanOrEqual(65_536);
    expect(stored.startsWith("<!-- m -->")).toBe(true);
    expect(stored).toMatch(/```\n\n_\d+ more characters were left out here/);
  });

  it("opens one pull request for a head, a draft, and finds it again", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at, true);
    const again = await at.forge.openPullRequest(REPOSITORY, {
      head: BRANCH,
      base: "main",
      title: "Other",
      body: "",
      draft: true,
    });
    expect(again).toMatchObject({
      number,
      headSha: sha,
      headRef: BRANCH,
      draft: true,
      state: "open",
      merged: false,
      mergeable: true,
      sameRepository: true,
    });
  });

  it("turns a draft into a ready pull request and back, through GraphQL alone", async () => {
    const at = await setting();
    const { number } = await openedPull(at, true);
    for (const draft of [false, false, true, true, false]) {
      await at.forge.setDraft(REPOSITORY, number, draft);
      expect((await at.forge.pullRequest(REPOSITORY, number)).draft).toBe(draft);
    }
  });

  it("lets a label stand for the draft where the repository has none", async () => {
    const at = await setting();
    await at.people.changeRepository(REPOSITORY, { draftsAllowed: false });
    const { number, sha } = await openedPull(at, true);
    expect((await at.forge.pullRequest(REPOSITORY, number)).draft).toBe(true);
    expect(await at.forge.merge(REPOSITORY, number, { sha, method: "squash" })).toMatchObject({
      kind: "not-mergeable",
    });
    await at.forge.setDraft(REPOSITORY, number, false);
    expect((await at.forge.pullRequest(REPOSITORY, number)).draft).toBe(false);
    await at.forge.setDraft(REPOSITORY, number, true);
    expect((await at.forge.issue(REPOSITORY, number)).labels).toEqual(["mergewright:draft"]);
  });

  it.each(["merge", "squash", "rebase"] as const)(
    "merges the approved head by %s and closes the issue",
    async (method) => {
      const at = await setting();
      const { number, sha } = await openedPull(at);
      const result = await at.forge.merge(REPOSITORY, number, { sha, method });
      expect(result.kind).toBe("merged");
      const pull = await at.forge.pullRequest(REPOSITORY, number);
      expect(pull).toMatchObject({ merged: true, state: "closed", mergeSha: "sha" in result && result.sha });
      expect((await at.people.branches(REPOSITORY))["main"]).toBe(pull.mergeSha);
      expect((await at.forge.issue(REPOSITORY, 1)).state).toBe("closed");
      expect(await at.forge.merge(REPOSITORY, number, { sha, method })).toEqual(result);
    },
  );

  it("takes a closed pull request of an earlier run for what it is, and opens a new one", async () => {
    const at = await setting();
    const { number } = await openedPull(at);
    const again = () =>
      at.forge.openPullRequest(REPOSITORY, { head: BRANCH, base: "main", title: "New", body: "", draft: false });
    await at.people.as("maint").rest("PATCH", `/repos/${REPOSITORY}/pulls/${number}`, { state: "closed" });
    expect(await again()).toMatchObject({ number, state: "closed" });
    await at.people.push({ as: "bot", repository: REPOSITORY, branch: BRANCH, files: { "a.txt": "three\n" } });
    expect(await again()).toMatchObject({ number: number + 1, state: "open" });
  });

  it("reports one status for each commit and reads all checks beside it", async () => {
    const at = await setting();
    const { sha } = await openedPull(at);
    const report = { kind: "check-run" as const, title: "Verified", summary: "All good", url: null, externalId: "k" };
    await at.forge.report(REPOSITORY, sha, { ...report, state: "pending" });
    await at.forge.report(REPOSITORY, sha, { ...report, state: "success" });
    await at.forge.report(REPOSITORY, sha, { ...report, state: "success" });
    await at.people.check({ repository: REPOSITORY, sha, name: "build", status: "in_progress" });
    await at.people.check({ repository: REPOSITORY, sha, name: "lint", conclusion: "skipped" });
    await at.people.check({
      repository: REPOSITORY,
      sha,
      name: "test",
      conclusion: "timed_out",
      output: { title: "Slow", summary: "Too slow" },
    });
    const checks = await at.forge.checks(REPOSITORY, sha);
    expect(checks.map(({ name, state, ours }) => [name, state, ours])).toEqual([
      ["build", "pending", false],
      ["lint", "neutral", false],
      ["test", "failure", false],
      ["mergewright", "success", true],
    ]);
    const posts = (await at.people.ledger()).filter((effect) => effect.route.endsWith("/statuses/{sha}"));
    expect(posts).toHaveLength(2);
  });

  it("edits a pull request and closes it", async () => {
    const at = await setting();
    const { number } = await openedPull(at);
    await at.forge.editPullRequest(REPOSITORY, number, { title: "x".repeat(300), body: "y".repeat(70_000) });
    await at.forge.editPullRequest(REPOSITORY, number, { state: "closed" });
    await at.forge.editPullRequest(REPOSITORY, number, { state: "closed" });
    expect(await at.forge.pullRequest(REPOSITORY, number)).toMatchObject({ state: "closed", merged: false });
    expect(await at.forge.merge(REPOSITORY, number, { sha: "0".repeat(40), method: "merge" })).toEqual({
      kind: "closed",
    });
  });

  it("follows a renamed repository with reading and with writing", async () => {
    const at = await setting();
    await at.people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    await at.people.changeRepository(REPOSITORY, { name: "acme/gadget" });
    expect((await at.forge.repository(REPOSITORY)).fullName).toBe("acme/gadget");
    await at.forge.putComment(REPOSITORY, 1, { marker: "<!-- m -->", body: "Ours", id: null });
    const issue = await at.forge.issue(REPOSITORY, 1);
    expect(issue.repository).toBe("acme/gadget");
    expect(await at.forge.findComment(REPOSITORY, 1, "<!-- m -->")).not.toBeNull();
  });
});
