import { expect, it } from "vitest";
import { EDIT_EVERY_MS, showsIn } from "../../domain/comment-pace.ts";
import type { WaitingFor } from "../../domain/run.ts";

it.each<[string, WaitingFor["kind"] | null, number | null, number]>([
  ["the first", null, null, 0],
  ["a second after the last edit", null, 1_000, EDIT_EVERY_MS - 1_000],
  ["long after the last edit", null, EDIT_EVERY_MS, 0],

  ["an approval that is asked for", "approval", 1_000, 0],
  ["an answer that is asked for", "answer", 1_000, 0],
  ["a step that an operator must mend", "operator", 1_000, 0],
  ["a limit", "rate-limit", 1_000, 0],
  ["a pause", "resume", 1_000, 0],
  ["checks that go on", "checks", 1_000, EDIT_EVERY_MS - 1_000],
])("The progress comment shows %s when it should", (_, kind, sinceLastMs, ms) => {
  const waitingFor = kind && { kind, since: "2026-11-21T12:00:00Z" };
  expect(showsIn(waitingFor, sinceLastMs)).toBe(ms);
});
