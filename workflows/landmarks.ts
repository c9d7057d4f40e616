/** What a fork needs to know of the run that it goes on from; kept while the story is told. */
import type { Base } from "../activities/contract.ts";
import type { Classification, Plan } from "../domain/outputs.ts";
import type { Chapter } from "./carried-run.ts";
import type { ResolveIssueInput } from "./messages.ts";

/** One working tree of the coder: it goes on in it until what others did is brought in, and a new one is made. */
export interface TreeStart {
  /** How many turns the coder had taken by then. */
  since: number;
  base: Base;
  /** The commit that it was made from. */
  from: string;
  /** Paths that had a conflict in it. */
  conflicts: string[];
  /** What our next commit was to build upon, with the commits of others; empty: the base. Absent when it comes from an older version. */
  onto?: string[];
}

export class Landmarks {
  classification: Classification | null;
  plan: Plan | null;
  /** The oldest first. */
  readonly trees: TreeStart[];

  constructor({ carried, fork }: ResolveIssueInput) {
    const known = carried ? knownIn(carried.chapter) : fork;
    this.classification = known?.classification ?? null;
    this.plan = known?.plan ?? null;
    this.trees = [...(carried?.trees ?? fork?.trees ?? [])];
  }

  /** The coder begins; `anew`: in another tree than the one that it had. */
  coderBegins(tree: TreeStart, anew: boolean): void {
    if (anew || this.trees.length === 0) this.trees.push(tree);
  }
}

function knownIn(chapter: Chapter): { classification: Classification; plan: Plan | null } {
  if ("work" in chapter) return chapter.work;
  if (chapter.kind === "work") return chapter.coding.work;
  return { plan: null, ...chapter };
}
