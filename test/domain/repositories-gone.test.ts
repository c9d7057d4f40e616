import { describe, expect, it } from "vitest";
import { readDelivery, routeDelivery } from "../../domain/delivery.ts";
import { Triggers } from "../../domain/settings.ts";

const headers = { guid: "g-1", receivedAt: "2026-01-02T03:04:05.000Z" };
const rules = { triggers: Triggers.parse({}), ourLogin: null };
const ada = { login: "ada", id: 7, type: "User" };
const installation = { account: { login: "Acme" } };
const named = (...names: string[]) => names.map((full_name) => ({ full_name }));

describe("repositories that are gone are forgotten", () => {
  const accepted = (name: string, payload: object): unknown => {
    const read = readDelivery(name, { sender: ada, ...payload }, headers);
    if (read.kind !== "read") return read.kind;
    const routed = routeDelivery(read.event, rules);
    return routed.kind === "accept" ? routed.delivery.intent : routed.reason;
  };

  it.each([
    ["installation_repositories", { action: "removed", installation, repositories_removed: named("Acme/a", "acme/b") }],
    ["installation", { action: "deleted", installation, repositories: named("Acme/a", "acme/b") }],
  ])("%s names them all", (name, payload) => {
    expect(accepted(name, payload)).toEqual({ kind: "forget", repositories: ["Acme/a", "acme/b"] });
  });

  it("a deleted repository is one", () => {
    const payload = { action: "deleted", repository: { full_name: "Acme/a" } };
    expect(accepted("repository", payload)).toEqual({ kind: "forget", repositories: ["Acme/a"] });
  });

  const acme = { repository: { full_name: "Acme/a" } };
  it.each([
    ["transferred", { owner: { from: { user: { login: "rita" } } } }, "rita/a"],
    ["transferred", { owner: { from: { organization: { login: "Umbrella" } } } }, "Umbrella/a"],
  ])("a repository that was %s is forgotten under its old name: %j", (action, changes, was) => {
    expect(accepted("repository", { action, ...acme, changes })).toEqual({ kind: "forget", repositories: [was] });
  });

  it("a repository that was renamed takes along what is known of it, as of the time that GitHub tells", () => {
    const repository = { full_name: "Acme/a", updated_at: "2026-01-01T10:00:00+02:00" };
    const payload = { action: "renamed", repository, changes: { repository: { name: { from: "old" } } } };
    expect(accepted("repository", payload)).toEqual({ kind: "rename", from: "Acme/old", to: "Acme/a" });
    const read = readDelivery("repository", { sender: ada, ...payload }, headers);
    expect(read).toMatchObject({ event: { at: "2026-01-01T08:00:00.000Z" } });
  });

  it("so does an account with all of its repositories", () => {
    const renamed = (from: unknown, login: string) => ({
      action: "renamed",
      account: { login },
      changes: { login: { from } },
    });
    expect(accepted("installation_target", renamed("acme", "Acme-Inc"))).toEqual({
      kind: "rename",
      from: "acme",
      to: "Acme-Inc",
    });
    expect(accepted("installation_target", renamed("acme", "Acme"))).toMatch(/set-up/);
    for (const wrong of ["a/b", "", 7])
      expect(accepted("installation_target", renamed(wrong, "acme"))).toBe("malformed");
  });

  it.each([
    ["renamed", { repository: { name: { from: "A" } } }],
    ["renamed", { repository: { name: { from: "no name/at all" } } }],
    ["edited", { repository: { name: { from: "old" } } }],
  ])("repository.%s with %j forgets nothing", (action, changes) => {
    expect(accepted("repository", { action, ...acme, changes })).toBe("unknown");
  });

  it("an owner's webhook has none of another owner's forgotten", () => {
    const both = { action: "removed", installation, repositories_removed: named("Acme/a", "rival/b") };
    expect(accepted("installation_repositories", both)).toEqual({ kind: "forget", repositories: ["Acme/a"] });
    const foreign = { ...both, repositories_removed: named("rival/b") };
    expect(accepted("installation_repositories", foreign)).toMatch(/set-up/);
  });

  it.each([
    ["installation_repositories", { action: "added", installation, repositories_added: named("Acme/a") }, /set-up/],
    ["installation", { action: "suspend", installation, repositories: named("Acme/a") }, /set-up/],
    ["repository", { action: "renamed", repository: { full_name: "Acme/a" } }, /unknown/],
  ])("%s.$action forgets nothing", (name, payload, told) => {
    expect(accepted(name, payload)).toMatch(told);
  });
});

describe("/mergewright remember", () => {
  const comment = (login: string, body: string) =>
    readDelivery(
      "issue_comment",
      {
        action: "created",
        repository: { full_name: "Acme/a" },
        sender: { login, id: 7, type: "User" },
        issue: { number: 5, title: "t", body: "b", user: ada, labels: [], state: "closed", html_url: "u" },
        comment: { id: 77, body, created_at: "2026-01-01T00:00:00Z" },
      },
      headers,
    );

  it("is about the repository: it needs no run, and the issue may be closed", () => {
    const read = comment("ada", "/mergewright remember Use tabs.\nAlways.");
    expect(read.kind === "read" && routeDelivery(read.event, rules)).toMatchObject({
      kind: "accept",
      delivery: {
        intent: { kind: "teach", issue: 5, text: "Use tabs.\nAlways.", commentId: 77 },
        sender: { login: "ada" },
      },
    });
  });

  it("needs something to remember", () => {
    const read = comment("ada", "/mergewright remember");
    expect(read.kind === "read" && routeDelivery(read.event, rules)).toMatchObject({ kind: "ignore" });
  });
});
