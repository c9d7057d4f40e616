/** What is remembered: how an issue was solved, how the run went, what was learnt from it, and what people teach. */
import { z } from "zod";
import type { RepositoryName } from "./ids.ts";

const common = {
  /** Made from what it is (`KIND-RUNKEY`, or a digest of what was said), so that storing it twice stores it once. */
  id: z.string().min(1).max(80),
  /** ISO 8601: when it was learnt. */
  at: z.iso.datetime(),
};
const issue = z.int().positive();
const text = (max: number) => z.string().max(max);
const outcome = z.enum(["merged", "declined", "failed", "cancelled"]);

/** How an issue was solved, or was not. */
export const Resolution = z.strictObject({
  kind: z.literal("resolution"),
  ...common,
  issue,
  title: text(500),
  /** The issue's text, cleaned and cut. */
  problem: text(8_000),
  category: z.string().nullable(),
  /** As the plan said it; null where no plan was made. */
  cause: text(4_000).nullable(),
  /** Paths that the change touched. */
  files: z.array(z.string()).max(200),
  /** What the change is, in words and counts. */
  change: text(6_000).nullable(),
  /** How it was verified, in a sentence. */
  evidence: text(2_000).nullable(),
  outcome,
  /** Why it was not merged. */
  reason: text(2_000).nullable(),
  pullRequest: z.int().positive().nullable(),
  mergeSha: z.string().nullable(),
  /** The merged commit was reverted later. */
  reverted: z.boolean(),
});
export type Resolution = z.infer<typeof Resolution>;

/** The way that led there: who worked, how long, at what cost. */
export const Course = z.strictObject({
  kind: z.literal("workflow"),
  ...common,
  issue,
  title: text(500),
  category: z.string().nullable(),
  outcome,
  roles: z.array(z.strictObject({ role: z.string(), turns: z.number(), costUsd: z.number() })).max(50),
  turns: z.number(),
  costUsd: z.number(),
  minutes: z.number(),
  /** How often the work was begun again: 1 when the first change held. */
  rounds: z.number(),
});
export type Course = z.infer<typeof Course>;

/** What the reviewer thought worth knowing the next time. */
export const Lesson = z.strictObject({
  kind: z.literal("lesson"),
  ...common,
  issue,
  text: text(1_000),
  /** The change that it came from was merged, and not reverted since. Others are kept, and not recalled. */
  confirmed: z.boolean(),
  /** The resolution it belongs to. */
  of: z.string(),
});
export type Lesson = z.infer<typeof Lesson>;

/** What a person told us to remember: kept apart, and until a person has it forgotten. */
export const Taught = z.strictObject({
  kind: z.literal("taught"),
  ...common,
  /** Where it was said; null: it was not said about an issue. */
  issue: issue.nullable(),
  text: text(4_000),
  /** GitHub login, or the name that the command line gave. */
  by: z.string().min(1).max(100),
});
export type Taught = z.infer<typeof Taught>;

export const Memory = z.discriminatedUnion("kind", [Resolution, Course, Lesson, Taught]);
export type Memory = z.infer<typeof Memory>;
export type MemoryKind = Memory["kind"];

export const MEMORY_KINDS = ["resolution", "workflow", "lesson", "taught"] as const satisfies readonly MemoryKind[];

/** Nothing is ever found, changed or counted across two of these. */
export interface MemoryScope {
  /** A GitHub owner; `local` for the command line. */
  tenant: string;
  /** `owner/name`, or the path of a repository on this machine. */
  repository: string;
}

/** Said of a name: its repository was forgotten then, or is called otherwise since. What began before is not for this name any more. */
export interface Departure {
  at: string;
  /** What it is called since; null: it is forgotten. */
  to: RepositoryName | null;
}

/** The scope of a repository on GitHub: its owner is the tenant. */
export function scopeOfRepository(repository: RepositoryName): MemoryScope {
  const name = repository.toLowerCase();
  return { tenant: name.split("/", 1)[0]!, repository: name };
}
