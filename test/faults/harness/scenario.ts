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

/** Leaves a tree that is hard to copy, and tells its hash at the end of one turn and at the start of the next. */
export const MESSY = 'shows "60s", and leaves a mess on the way';
export const MESSY_STEPS = ["one", "two", "three"];
const MESS = [
  "mkdir -p 'odd names/ünï' && printf 'a\\0b' > 'odd names/ünï/bytes.bin' && printf 'no end of line' > 'odd names/- x'",
  "ln -s ../nowhere 'odd names/link' && printf '#!/bin/sh\\n' > 'odd names/run' && chmod +x 'odd names/run'",
  "git mv src/format.js src/moved.js && git rm -q --cached package.json && chmod +x README.md && rm CHANGELOG.md",
];
const CLEAN = "git reset -q && git checkout -q -- . && rm -rf 'odd names' src/moved.js";
const TREE =
  'export GIT_INDEX_FILE=$(mktemp -u); git add -A; echo "tree $(git write-tree)"; rm $GIT_INDEX_FILE; unset GIT_INDEX_FILE';

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
    title: MESSY,
    before: [
      { text: "Step one.", uses: [bash([...MESS, wrote("one"), TREE].join("\n"))] },
      { text: "Step two.", uses: [bash([TREE, wrote("two")].join("\n"))] },
      { text: "Step three.", uses: [bash([CLEAN, wrote("three")].join("\n"))] },
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
