/** What a role that answers with data must return. The schema is sent to Claude and checked again on receipt. */
import { z } from "zod";

export const Classification = z.strictObject({
  category: z.enum(["bug", "feature", "documentation", "refactoring", "test", "maintenance", "question", "invalid"]),
  summary: z.string().describe("The issue in one sentence, in your own words"),
  reason: z.string().describe("Why this category, in one sentence"),
});
export type Classification = z.infer<typeof Classification>;

export const Plan = z.strictObject({
  cause: z.string().describe("The likely cause, naming files and functions"),
  steps: z.array(z.string()).describe("What to change, in order, each in one sentence"),
  files: z.array(z.string()).describe("Paths that will probably change"),
  test: z.string().describe("The test that fails now and will pass: where it stands and what it asserts"),
  risks: z.array(z.string()).describe("What could break; empty when nothing could"),
});
export type Plan = z.infer<typeof Plan>;

export const Finding = z.strictObject({
  path: z.string(),
  line: z.int().describe("A line of the new version of the file that this change touched"),
  severity: z.enum(["must-fix", "should-fix", "note"]),
  finding: z.string().describe("What is wrong, and what would be right"),
});
export type Finding = z.infer<typeof Finding>;

export const Review = z.strictObject({
  verdict: z.enum(["approve", "request-changes"]),
  summary: z.string(),
  findings: z.array(Finding).describe("At most six, the most important first, each on a changed line"),
  lessons: z
    .array(z.string())
    .optional()
    .describe(
      "At most three sentences that would help whoever works on this repository next; empty when there is nothing",
    ),
});
export type Review = z.infer<typeof Review>;
