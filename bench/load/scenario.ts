/** What the played Claude does for each issue of the load: a new module and what its test expects, in files that no other issue touches. */
import type { Classification, Plan, Review } from "../../domain/outputs.ts";
import { bash, create, type PlayedRequest, type Scenario } from "../../demo/model/scenario.ts";

export function titleOf(part: number): string {
  return `Part ${part} is missing`;
}

function partOf({ opening }: PlayedRequest): string {
  const part = /Part (\d+) is missing/.exec(opening)?.[1];
  if (part === undefined) throw new Error(`No issue of the load: ${opening.slice(0, 200)}`);
  return part;
}

export const loadScenario: Scenario = {
  name: "load",
  matches: () => true,
  classifier: [
    {
      data: {
        category: "feature",
        summary: "A small module is wanted.",
        reason: "It is not there yet.",
      } satisfies Classification,
    },
  ],
  planner: [
    { text: "I look first.", uses: [bash("git ls-files | head -20")] },
    (request) => ({
      data: {
        cause: "Nobody wrote it.",
        steps: ["The module.", "Its test."],
        files: [`src/part-${partOf(request)}.js`],
        test: `part() is ${partOf(request)}`,
        risks: [],
      } satisfies Plan,
    }),
  ],
  coder: [
    [
      (request) => {
        const part = partOf(request);
        return {
          text: "The module and its test.",
          uses: [
            create(`src/part-${part}.js`, `export function part() {\n  return ${part};\n}\n`),
            create(`test/parts/${part}.json`, `${part}\n`),
            bash("npm test 2>&1 | tail -9"),
          ],
        };
      },
      { text: "The module is there, with a test." },
    ],
  ],
  reviewer: [[{ data: { verdict: "approve", summary: "Small and tested.", findings: [] } satisfies Review }]],
};
