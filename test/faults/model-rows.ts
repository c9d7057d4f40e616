/** What the rows about Claude share: an issue of its own for each, and what was asked of Claude for it. */
import { expect } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import type { LedgerEntry } from "../../demo/model/ledger.ts";
import type { Stage } from "../../demo/stage.ts";
import { commentsOf, ended, reaches, signal } from "../e2e/support.ts";

export async function start(stage: Stage, title: string): Promise<number> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title, body: "59.7 s." });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  return number;
}

export const classified = (stage: Stage, issue: number): Promise<RunView> =>
  reaches(stage, issue, "its classification", (run) => run.category !== null);

export async function reject(stage: Stage, issue: number): Promise<void> {
  await signal(stage, issue, "reject", { by: stage.maintainer, reason: "enough seen" });
  expect((await ended(stage, issue)).outcome?.kind).toBe("declined");
}

/** Runs `play` on a run of its own and tells what was asked of Claude meanwhile. */
export async function asked(stage: Stage, play: () => Promise<void>): Promise<LedgerEntry[]> {
  const before = stage.model!.ledger.read().entries.length;
  await play();
  expect(stage.model!.ledger.read().totals.paidTwice).toBe(0);
  return stage.model!.ledger.read().entries.slice(before);
}

export const byRole = (entries: readonly LedgerEntry[], role: string): LedgerEntry[] =>
  entries.filter((entry) => entry.role === role);

export const said = async (stage: Stage, issue: number): Promise<string> =>
  (await commentsOf(stage, issue)).map(({ body }) => body).join("\n");

/** A run whose first call meets the faults, and goes on. */
export async function goesOn(stage: Stage, title: string, order: (stage: Stage) => void): Promise<LedgerEntry[]> {
  return asked(stage, async () => {
    order(stage);
    const issue = await start(stage, title);
    await classified(stage, issue);
    await reject(stage, issue);
  }).then((entries) => byRole(entries, "classifier"));
}
