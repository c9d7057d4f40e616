/** What the played Claude does in the rows of group C, known by the title. */
import {
  bash,
  create,
  replace,
  type PlayedRequest,
  type PlayedUse,
  type Scenario,
  type Turn,
} from "../../demo/model/scenario.ts";
import { shortStory } from "../e2e/short-scenario.ts";

/** The usual story, for rows whose fault is ordered of the server. */
export const usual = (title: string): Scenario => shortStory({ title });

/** What each tool call of the coder was answered with. */
export function withBadCalls(title: string, heard: string[]): Scenario {
  const calls: PlayedUse[] = [
    { name: "no_such_tool", input: { a: 1 } },
    { name: "bash", input: { command: 5 } },
    { name: "bash", input: {} },
    { name: "str_replace_based_edit_tool", input: { command: "fly", path: "src/format.js" } },
    { name: "str_replace_based_edit_tool", input: { command: "view", path: "../../../etc/passwd" } },
    create("/etc/evil", "x"),
    replace("src/format.js", "no such text anywhere", "x"),
  ];
  const turns = calls.map((call): Turn => (request: PlayedRequest) => {
    if (request.turn > 0) heard.push(request.lastResult);
    return { text: "I try.", uses: [call] };
  });
  const last: Turn = (request) => {
    heard.push(request.lastResult);
    return { text: "I look what is there.", uses: [bash("git status --short")] };
  };
  return shortStory({ title, before: [...turns, last] });
}

const often = (turn: (index: number) => Turn, count = 50): Turn[] =>
  Array.from({ length: count }, (_, index) => turn(index));

/** The same call, over and over. */
export const sameCall = (title: string): Scenario =>
  coderDoes(
    title,
    often(() => ({ uses: [bash("ls src")] })),
  );

/** Two calls in turn. */
export const alternating = (title: string): Scenario =>
  coderDoes(
    title,
    often((index) => ({ uses: [bash(index % 2 ? "ls test" : "ls src")] })),
  );

/** Always something else, and never an end. */
export const endless = (title: string): Scenario =>
  coderDoes(
    title,
    often((index) => ({ uses: [bash(`echo ${index}`)] })),
  );

/** The same, and each command takes its time. */
export const slow = (title: string): Scenario =>
  coderDoes(
    title,
    often((index) => ({ uses: [bash(`sleep 3; echo ${index}`)] })),
  );

/** A tool with input that it does not take, over and over. */
export const wrongInput = (title: string): Scenario =>
  coderDoes(
    title,
    often(() => ({ uses: [{ name: "bash", input: { command: 5 } }] })),
  );

/** Talks and never gives the document that is asked for. */
export function monologue(title: string): Scenario {
  return { ...shortStory({ title }), planner: often(() => ({ text: "Let me think about this some more." })) };
}

/** Says that it is done without having done anything. */
export const nothingDone = (title: string): Scenario => coderDoes(title, [{ text: "Done, all is well." }]);

/** Leaves the suite red: a test for the fault, and no fix. */
export const redTests = (title: string): Scenario =>
  coderDoes(title, [
    {
      uses: [replace("test/format.test.js", '  [61_000, "1m 1s"],\n', '  [61_000, "1m 1s"],\n  [59_700, "1m"],\n')],
    },
    { text: "Done, all is well." },
  ]);

function coderDoes(title: string, turns: readonly Turn[]): Scenario {
  const again: Turn[] = [{ text: "I said that it is done." }];
  return { ...shortStory({ title }), coder: [turns, again, again, again] };
}
