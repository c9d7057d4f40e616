import { describe, expect, it } from "vitest";
import { changedLines, limitFindings, readAnswer } from "../../agents/answers.ts";
import { outputSchema } from "../../agents/schema.ts";
import { checkSchema } from "../../demo/model/schema.ts";
import { Classification, type Finding, Plan, Review } from "../../domain/outputs.ts";
import { classification } from "../model/support.ts";

describe("an answer", () => {
  it.each([
    JSON.stringify(classification),
    ` \n${JSON.stringify(classification)}\n`,
    `\`\`\`json\n${JSON.stringify(classification, null, 2)}\n\`\`\``,
  ])("%j is read", (text) => {
    expect(readAnswer(Classification, text)).toEqual({ kind: "answer", value: classification });
  });

  it.each([
    ["", "empty"],
    ["It is a bug.", "not one whole JSON document"],
    ['{"category":"bug","summ', "not one whole JSON document"],
    ["null", "does not fit"],
    [JSON.stringify({ ...classification, category: "crash" }), "category:"],
    [JSON.stringify({ ...classification, extra: 1 }), "extra"],
  ])("%j is sent back with what is wrong", (text, said) => {
    const answer = readAnswer(Classification, text);
    expect(answer.kind).toBe("wrong");
    expect((answer as { say: string }).say).toContain(said);
    expect((answer as { say: string }).say).toContain("Answer again");
  });
});

describe("the schemas that are sent", () => {
  it.each([Classification, Plan, Review])("are what structured outputs take", (schema) => {
    const sent = outputSchema(schema);
    expect(() => checkSchema(sent)).not.toThrow();
    expect(JSON.stringify(sent)).not.toMatch(/\$schema|minimum|maximum/);
    expect(JSON.stringify(sent)).toContain('"description"');
  });
});

const PATCH = `diff --git a/src/a.js b/src/a.js
index 1..2 100644
--- a/src/a.js
+++ b/src/a.js
@@ -1,4 +1,5 @@
 one
-two
+TWO
+more
 three
 four
@@ -20 +21,2 @@ function x() {
--- a/not/a/header
+++ b/not/a/header
+yes
\\ No newline at end of file
diff --git a/gone.js b/gone.js
deleted file mode 100644
--- a/gone.js
+++ /dev/null
@@ -1,2 +0,0 @@
-a
-b
diff --git "a/p\\303\\244th.js" "b/p\\303\\244th.js"
--- "a/p\\303\\244th.js"
+++ "b/p\\303\\244th.js"
@@ -3,3 +3,2 @@
 a
-b
 c
`;

describe("the lines that a change touched", () => {
  it("are those of the new version, with the neighbours of a deletion", () => {
    expect([...changedLines(PATCH)].map(([path, lines]) => [path, [...lines].toSorted((a, b) => a - b)])).toEqual([
      ["src/a.js", [1, 2, 3, 20, 21, 22]],
      ["päth.js", [3, 4]],
    ]);
  });

  it("are as far as a cut patch goes", () => {
    expect(changedLines("").size).toBe(0);
    expect(changedLines("diff --git a/x b/x\n+++ b/x\n@@ -1,9 +1,9 @@\n+a\n").get("x")).toEqual(new Set([1]));
  });
});

describe("a review's findings", () => {
  const finding = (line: number, severity: Finding["severity"] = "note", path = "src/a.js"): Finding => ({
    path,
    line,
    severity,
    finding: `about ${path} ${line}`,
  });

  it("stay when they are on changed lines, the most severe first; the others move to the summary", () => {
    const review = limitFindings(
      {
        verdict: "request-changes",
        summary: "So.",
        findings: [
          finding(2),
          finding(40, "must-fix"),
          finding(3, "must-fix", "./src/a.js"),
          finding(1, "note", "other.js"),
        ],
      },
      PATCH,
    );
    expect(review.findings.map(({ path, line }) => `${path}:${line}`)).toEqual(["src/a.js:3", "src/a.js:2"]);
    expect(review.summary).toContain("`src/a.js` line 40 (must-fix): about src/a.js 40");
    expect(review.summary).toContain("other.js");
  });

  it("are six at most", () => {
    const findings = Array.from({ length: 9 }, () => finding(2));
    expect(limitFindings({ verdict: "approve", summary: "", findings }, PATCH).findings).toHaveLength(6);
  });
});
