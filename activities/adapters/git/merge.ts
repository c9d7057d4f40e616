/** Merging two commits in the bare mirror: Git writes a tree, no file is ever checked out and no driver of the repository runs. */
import type { MergedTree } from "../../../domain/ports.ts";
import { GitFailed } from "../../../domain/errors.ts";
import { checkCommit } from "./names.ts";
import { localFault, type Tools } from "./tools.ts";
import { fields, utf8OrNull } from "./tree.ts";

/** The tree of a merge; where paths conflict, their content carries Git's markers. */
export async function mergeTree(
  tools: Tools,
  gitDir: string,
  ours: string,
  theirs: string,
  signal: AbortSignal,
): Promise<MergedTree> {
  const args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
  const sides = [checkCommit(ours, "Our commit"), checkCommit(theirs, "Their commit")];
  const result = await tools.run(gitDir, [...args, ...sides], signal);
  // 1: there are conflicts, and the tree is written all the same.
  if (result.exitCode !== 0 && result.exitCode !== 1) throw localFault("merge-tree", result);
  const [tree, ...conflicts] = fields(result.stdout).map((bytes) => utf8OrNull(bytes) ?? "(a name that is not UTF-8)");
  if (result.stdoutCut || tree === undefined || !/^[0-9a-f]{40}$/.test(tree))
    throw new GitFailed("merge-tree", result.exitCode, "git merge-tree did not tell the tree that it wrote.");
  return { tree, conflicts: [...new Set(conflicts)].filter((path) => path !== "") };
}

/** The newest commit that both have; null when they share none. */
export async function mergeBase(
  tools: Tools,
  gitDir: string,
  one: string,
  other: string,
  signal: AbortSignal,
): Promise<string | null> {
  const sides = [checkCommit(one, "A commit"), checkCommit(other, "A commit")];
  const result = await tools.run(gitDir, ["merge-base", ...sides], signal);
  if (result.exitCode === 1) return null;
  if (result.exitCode !== 0) throw localFault("merge-base", result);
  return result.stdout.toString("utf8").trim().split("\n")[0] ?? null;
}
