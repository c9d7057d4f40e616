/** What the played Claude says in crash runs: a short fix, whose commands write down in the tree that they ran. */
import { bash, type Scenario } from "../../../demo/model/scenario.ts";
import { shortStory } from "../../e2e/short-scenario.ts";

/** Titles by which the played Claude knows the stories; a test puts a name of its own before them. */
export const QUICK = 'shows "60s" where a minute is meant';
export const SLOW = 'shows "60s", and the suite takes its time';

/** Each command adds its line once. The file is part of the change, so what was merged tells what ran. */
export const STEPS = "steps.txt";
export const QUICK_STEPS = ["one", "two", "three"];
export const LOUD = 'shows "60s", and the suite says much';
export const LOUD_STEPS = ["one", "two"];
export const SLOW_STEPS = ["one", "two began", "two ended", "three"];

/** Long enough to be killed in the middle of, and over before a second worker could look for it. */
const SLOW_SECONDS = 4;

export const scenarios: Scenario[] = [
  shortStory({
    title: QUICK,
    before: QUICK_STEPS.map((step) => ({ text: `Step ${step}.`, uses: [bash(wrote(step))] })),
  }),
  shortStory({
    title: SLOW,
    before: [
      { text: "Step one.", uses: [bash(wrote("one"))] },
      { text: "Step two.", uses: [bash(`${wrote("two began")}; sleep ${SLOW_SECONDS}; ${wrote("two ended")}`)] },
      { text: "Step three.", uses: [bash(wrote("three"))] },
    ],
  }),
  shortStory({
    title: LOUD,
    before: [
      { text: "Step one.", uses: [bash(wrote("one"))] },
      { text: "Step two.", uses: [bash(`yes 0123456789 | head -c 4500000; ${wrote("two")}`)] },
    ],
  }),
];

function wrote(step: string): string {
  return `echo ${step} >> ${STEPS}; tail -1 ${STEPS}`;
}
