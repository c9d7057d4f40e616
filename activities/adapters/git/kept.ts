/** Commits that no branch of the mirror holds (a sandbox's, ours) survive `git gc` by a ref each, until they are dropped. */
import { keptRef } from "./names.ts";
import type { Tools } from "./tools.ts";
import { withoutStaleLocks } from "./stale-locks.ts";

/** Safe to repeat. */
export async function keep(tools: Tools, gitDir: string, commit: string, signal: AbortSignal): Promise<void> {
  await withoutStaleLocks(gitDir, signal, () => tools.ok(gitDir, ["update-ref", keptRef(commit), commit], signal));
}

/** Lets `git gc` have these commits, unless something else still holds them. Unknown ones are fine. */
export async function drop(
  tools: Tools,
  gitDir: string,
  commits: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const input = commits.map((commit) => `delete ${keptRef(commit)}\n`).join("");
  await withoutStaleLocks(gitDir, signal, () => tools.ok(gitDir, ["update-ref", "--stdin"], signal, { input }));
}

/** All that are kept. */
export async function kept(tools: Tools, gitDir: string, signal: AbortSignal): Promise<string[]> {
  const folder = keptRef("");
  const listed = await tools.ok(gitDir, ["for-each-ref", "--format=%(refname)", "--", folder], signal);
  return listed
    .toString()
    .split("\n")
    .filter((name) => name.startsWith(folder))
    .map((name) => name.slice(folder.length));
}
