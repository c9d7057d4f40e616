import { describe, expect, it } from "vitest";
import { MESSAGE_NAMES } from "../../workflows/messages.ts";
import { parseMessage } from "../../workflows/parse-message.ts";

const sha = "c".repeat(40);

describe("a message to a run", () => {
  it.each([
    ["approveMerge", { by: "mara" }, { by: "mara" }],
    ["approveMerge", { by: "mara", sha: sha.toUpperCase() }, { by: "mara", sha }],
    ["approveMerge", { by: "mara", sha: null }, { by: "mara" }],
    ["approvePlan", { by: "mara", extra: 1 }, { by: "mara" }],
    ["requestChanges", { by: "mara", text: "more tests" }, { by: "mara", text: "more tests" }],
    ["reject", { by: "mara", reason: "no" }, { by: "mara", reason: "no" }],
    ["answer", { by: "octo-bot[bot]", text: "yes" }, { by: "octo-bot[bot]", text: "yes" }],
    ["pause", undefined, {}],
    ["pause", {}, {}],
    ["resume", { by: "mara" }, { by: "mara" }],
    ["raiseBudget", { by: "mara", usd: 20 }, { by: "mara", usd: 20 }],
  ] as const)("%s %j is taken", (name, payload, value) => {
    expect(parseMessage(name, payload)).toEqual({ ok: true, value });
  });

  it.each([
    ["approveMerge", {}, /`by` is missing/],
    ["approveMerge", { by: "not a login" }, /`by` is not a GitHub login/],
    ["approveMerge", { by: "mara", sha: "abc" }, /`sha` is not a full commit id/],
    ["approveMerge", [], /not a JSON object/],
    ["approveMerge", "mara", /not a JSON object/],
    ["requestChanges", { by: "mara", text: "  " }, /`text` is not a text/],
    ["reject", { by: "mara" }, /`reason` is missing/],
    ["pause", { by: 7 }, /`by` is not a GitHub login/],
    ["raiseBudget", { by: "mara", usd: -1 }, /`usd` is not a positive number/],
    ["raiseBudget", { by: "mara", usd: "20" }, /`usd`/],
    ["raiseBudget", { by: "mara", usd: Number.POSITIVE_INFINITY }, /`usd`/],
    ["approveMerge", JSON.parse('{"__proto__": {"by": "mara"}}'), /`by` is missing/],
  ] as const)("%s %j is refused, and says how it should look", (name, payload, reason) => {
    const parsed = parseMessage(name, payload);
    expect(parsed).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
    expect((parsed as { reason: string }).reason).toMatch(/Send \{/);
  });

  it("is never cut through a character", () => {
    const text = "\u{1f4a5}".repeat(200_000);
    for (const name of ["requestChanges", "answer"] as const)
      for (const before of ["", "x"]) {
        const parsed = parseMessage(name, { by: "mara", text: before + text });
        expect(parsed.ok && (parsed.value as { text: string }).text).toMatch(/^x?\u{1f4a5}+$/u);
      }
  });

  it("never throws, whatever it is", () => {
    const strange = [
      null,
      undefined,
      0,
      "",
      Symbol("x"),
      () => 1,
      new Map(),
      { by: { toString: null } },
      Object.create(null),
    ];
    for (const name of MESSAGE_NAMES)
      for (const payload of strange) expect(() => parseMessage(name, payload)).not.toThrow();
  });
});
