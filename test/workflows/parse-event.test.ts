import { describe, expect, it } from "vitest";
import type { SlashCommand } from "../../domain/events.ts";
import { readSlashCommand } from "../../domain/slash-command.ts";
import { parseIssueEvent } from "../../workflows/parse-event.ts";

/** One of each: a verb that is missing here does not compile. */
const EACH: { [Verb in SlashCommand["verb"]]: string } = {
  run: "run",
  cancel: "cancel",
  approve: "approve",
  "approve-plan": "approve plan",
  pause: "pause",
  resume: "resume",
  revise: "revise use a Map",
  reject: "reject out of scope",
  answer: "answer yes",
  remember: "remember that the tests need Node 22",
  budget: "budget 25",
};

const event = (command: unknown): unknown => ({ kind: "command", command, by: "mara", at: "2026-01-01", commentId: 5 });

describe("a command of GitHub", () => {
  it.each(Object.entries(EACH))("%s is taken as it was read from its comment", (verb, said) => {
    const read = readSlashCommand(`/mergewright ${said}`);
    expect(read).toMatchObject({ kind: "command", command: { verb } });
    const { command } = read as { command: SlashCommand };
    expect(parseIssueEvent(event(command))).toEqual(event(command));
  });

  it.each([
    [{ verb: "remember" }],
    [{ verb: "revise", text: 7 }],
    [{ verb: "budget", usd: "25" }],
    [{ verb: "merge" }],
    [null],
  ])("%j is none", (command) => {
    expect(parseIssueEvent(event(command))).toBeNull();
  });
});
