/** What the tests of experience share: some memories, and a folder and stores for a file's tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Lesson, type Resolution, scopeOfRepository } from "../../domain/memory.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import type { PointStore } from "../../memory/store/store.ts";
import { type PlayedQdrant, playQdrant } from "./played-qdrant.ts";

export const signal = new AbortController().signal;
export const acme = scopeOfRepository("Acme/Shop");

export function resolution(issue: number, title: string, problem: string, more: Partial<Resolution> = {}): Resolution {
  return {
    kind: "resolution",
    id: `resolution-run-${issue}`,
    at: `2026-01-${String(issue).padStart(2, "0")}T00:00:00.000Z`,
    issue,
    title,
    problem,
    category: "bug",
    cause: null,
    files: [],
    change: null,
    evidence: null,
    outcome: "merged",
    reason: null,
    pullRequest: issue + 100,
    mergeSha: "a".repeat(40),
    reverted: false,
    ...more,
  };
}

export const invoices = resolution(
  1,
  "Invoice total is wrong when a discount is applied",
  "The invoice shows 10 EUR too much when a percentage discount is applied to more than one line.",
);
export const login = resolution(
  2,
  "Login page crashes on an empty password",
  "Submitting the login form without a password throws a TypeError in validateCredentials.",
);
export const others = [
  resolution(3, "Dark mode has unreadable links", "Links are blue on black in the dark theme of the settings page."),
  resolution(
    4,
    "Export to CSV drops umlauts",
    "Names with umlauts are cut in the exported CSV file, encoding is latin1.",
  ),
];
export const lesson: Lesson = {
  kind: "lesson",
  id: "lesson-run-1-1",
  at: "2026-01-01T00:00:00.000Z",
  issue: 1,
  text: "Amounts are kept in cents; round once, at the end.",
  confirmed: true,
  of: invoices.id,
};

export interface ExperienceStores {
  /** One of its own for each call: on a file, or on the played Qdrant, which all share. */
  open: Record<"embedded" | "Qdrant", () => PointStore>;
  /** In a file of this name. */
  named(name: string): PointStore;
  /** A path in the folder of these tests. */
  path(name: string): string;
}

/** Makes the folder and the played Qdrant before a file's tests, and closes all that was opened behind them. */
export function experienceStores(): ExperienceStores {
  let folder: string;
  let played: PlayedQdrant;
  const opened: PointStore[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mergewright-experience-"));
    played = await playQdrant();
  });
  afterAll(async () => {
    for (const store of opened) await store.close();
    await played.close();
    await rm(folder, { recursive: true, force: true });
  });

  const kept = (store: PointStore): PointStore => {
    opened.push(store);
    return store;
  };
  const path = (name: string): string => join(folder, name);
  const named = (name: string): PointStore => kept(openEmbeddedStore(path(name)));
  let files = 0;
  return {
    path,
    named,
    open: {
      embedded: () => named(`memory-${(files += 1)}.db`),
      Qdrant: () => kept(openQdrantStore({ url: played.url, apiKey: null })),
    },
  };
}
