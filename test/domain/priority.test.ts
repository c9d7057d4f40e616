import { describe, expect, it } from "vitest";
import { fairnessKeyOf, priorityOf } from "../../domain/priority.ts";

const byLabel = { urgent: 1, "Priority: High": 2, someday: 5 };

describe("the priority of an issue", () => {
  it.each<[string, string[], number]>([
    ["no label", [], 3],
    ["labels that say nothing", ["bug", "mergewright"], 3],
    ["a label that is urgent", ["bug", "urgent"], 1],
    ["a label in another case", ["priority: HIGH"], 2],
    ["two labels, of which the more urgent counts", ["someday", "Priority: High"], 2],
    ["a label that can wait", ["someday"], 5],
    ["a label named like what every object has", ["constructor", "__proto__"], 3],
  ])("with %s", (_about, labels, expected) =>
    expect(priorityOf("acme/web", labels, byLabel)).toEqual({ priorityKey: expected, fairnessKey: "acme/web" }),
  );
});

describe("the fairness key of a repository", () => {
  it("is its name in lower case", () => expect(fairnessKeyOf("Acme/Web")).toBe("acme/web"));

  it("fits also where a name is longer than Temporal takes", () => {
    const key = fairnessKeyOf(`${"o".repeat(39)}/${"r".repeat(100)}`);
    expect(key).toBe("r".repeat(64));
  });
});
