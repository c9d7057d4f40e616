import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { ownerOf, readDelivery, routeDelivery } from "../../domain/delivery.ts";
import { Triggers } from "../../domain/settings.ts";
import { headers, labelled, read, repository } from "./payloads.ts";

/** GitHub's own examples; the package's types do not fit an ES module. */
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples") as { name: string; examples: object[] }[];

describe("a delivery that is read", () => {
  test("lets every example of GitHub pass without throwing", () => {
    const kinds = new Set<string>();
    for (const { name, examples: payloads } of examples) {
      for (const payload of payloads) {
        const result = readDelivery(name, payload, headers);
        kinds.add(result.kind);
        // Examples of events that we read are well formed.
        expect(result.kind === "malformed" ? `${name}: ${result.reason}` : null).toBeNull();
        if (result.kind === "read")
          routeDelivery(result.event, { triggers: Triggers.parse({ every_new_issue: true }), ourLogin: "wright" });
      }
    }
    expect([...kinds].sort()).toEqual(["read", "unknown"]);
  });

  const names = [
    "issues",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "check_suite",
    "check_run",
    "status",
  ];
  const wrong = [
    null,
    1,
    "x",
    [],
    {},
    { action: 1 },
    { action: {} },
    { action: "opened", issue: [] },
    { action: "created", issue: { number: "1" } },
    { action: "completed" },
    { action: "closed", pull_request: { head: null } },
    JSON.parse('{"__proto__": {"action": "opened"}}') as object,
  ];
  test.each(names)("tells %s payloads of the wrong type apart without throwing", (name) => {
    for (const payload of wrong) expect(["malformed", "unknown"]).toContain(readDelivery(name, payload, headers).kind);
  });

  test.each([
    ["an unknown event", "sponsorship", {}],
    ["an unknown action", "issues", { action: "pinned" }],
    ["an edited comment", "issue_comment", { action: "edited" }],
    ["a prototype's name", "constructor", {}],
  ])("knows nothing of %s", (_what, name, payload) => {
    expect(readDelivery(name, payload, headers)).toMatchObject({ kind: "unknown" });
  });

  test("reads null bodies, empty titles, deleted authors and right-to-left text", () => {
    const event = read("issues", { action: "opened", issue: { ...labelled, body: null, title: "", user: null } });
    expect(event).toMatchObject({ issue: { snapshot: { body: "", title: "", author: null } } });
    const emoji = read("issues", { action: "opened", issue: { ...labelled, title: "🐛 שגיאה", body: "مرحبا" } });
    expect(emoji).toMatchObject({ issue: { snapshot: { title: "🐛 שגיאה", body: "مرحبا" } } });
  });

  test("cuts a huge body below what Temporal takes, and not through a character", () => {
    const event = read("issues", { action: "opened", issue: { ...labelled, body: `x${"🐛".repeat(1_000_000)}` } });
    if (event.name !== "issue") throw new Error("not an issue");
    const { body } = event.issue.snapshot;
    expect(JSON.stringify(body).length).toBeLessThan(2_000_000);
    expect(body.endsWith("🐛")).toBe(true);
  });

  test("takes its own time of arrival where the payload tells none", () => {
    expect(read("issues", { action: "opened", issue: { ...labelled, updated_at: "yesterday" } })).toMatchObject({
      at: headers.receivedAt,
    });
  });

  test("tells whose secret must have signed a payload", () => {
    expect(ownerOf({ repository })).toBe("Acme");
    expect(ownerOf({ organization: { login: "acme" } })).toBe("acme");
    expect(ownerOf({ installation: { account: { login: "acme" } } })).toBe("acme");
    expect(ownerOf({ repository: { full_name: 3 } })).toBeNull();
    expect(ownerOf([])).toBeNull();
  });
});
