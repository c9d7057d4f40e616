/** Commits that a run needs on any machine: each is a bundle in the artifact store, kept by the machine that made it. */
import { ArtifactMissing } from "../domain/errors.ts";
import { runPrefix } from "../domain/ids.ts";
import type { Artifacts, Mirror } from "../domain/ports.ts";
import { findJson, getJson, putJson } from "./artifacts.ts";
import type { RunRef } from "./contract.ts";

export interface CommitParts {
  mirror: Mirror;
  artifacts: Artifacts;
}

/**
 * Keeps a commit that this machine's mirror holds. `on` is a kept commit whose history need not be kept again; null: the
 * whole history is. Safe to repeat.
 */
export async function keepCommit(
  { mirror, artifacts }: CommitParts,
  run: RunRef,
  commit: string,
  on: string | null,
  signal: AbortSignal,
): Promise<void> {
  if (commit === on || (await findJson<CommitRecord>(artifacts, recordKey(run, commit))) !== null) return;
  await artifacts.put(bundleKey(run, commit), await mirror.bundle(run.repository, commit, on, signal));
  await putJson(artifacts, recordKey(run, commit), { on } satisfies CommitRecord);
}

/** The bundles that lead to a kept commit, oldest first. Throws ArtifactMissing for one that was never kept. */
export async function commitBundles(artifacts: Artifacts, run: RunRef, commit: string): Promise<Uint8Array[]> {
  const bundles: Uint8Array[] = [];
  for (let at: string | null = commit; at !== null;) {
    const record: CommitRecord = await getJson<CommitRecord>(artifacts, recordKey(run, at));
    const bundle = await artifacts.get(bundleKey(run, at));
    if (bundle === null) throw new ArtifactMissing(bundleKey(run, at));
    bundles.unshift(bundle);
    at = record.on;
  }
  return bundles;
}

/** Copies kept commits, with those that they stand on, to another run. Throws ArtifactMissing for one that was never kept. */
export async function copyCommits(
  artifacts: Artifacts,
  from: Place,
  to: Place,
  commits: readonly string[],
): Promise<void> {
  const copied = new Set<string>();
  for (const commit of commits) await copyCommit(artifacts, from, to, commit, copied);
}

async function copyCommit(
  artifacts: Artifacts,
  from: Place,
  to: Place,
  commit: string,
  copied: Set<string>,
): Promise<void> {
  for (let at: string | null = commit; at !== null && !copied.has(at);) {
    copied.add(at);
    const record: CommitRecord = await getJson<CommitRecord>(artifacts, recordKey(from, at));
    const bundle = await artifacts.get(bundleKey(from, at));
    if (bundle === null) throw new ArtifactMissing(bundleKey(from, at));
    await artifacts.put(bundleKey(to, at), bundle);
    await putJson(artifacts, recordKey(to, at), record);
    at = record.on;
  }
}

/** Brings a kept commit into the mirror of this machine, where another one made it. */
export async function bringCommit(
  { mirror, artifacts }: CommitParts,
  run: RunRef,
  commit: string,
  signal: AbortSignal,
): Promise<void> {
  if (await mirror.has(run.repository, commit, signal)) return;
  for (const bundle of await commitBundles(artifacts, run, commit)) {
    await mirror.restore(run.repository, bundle, signal);
  }
}

interface CommitRecord {
  on: string | null;
}

type Place = Pick<RunRef, "runKey">;

function recordKey(run: Place, commit: string): string {
  return `${runPrefix(run.runKey)}/commits/${commit}.json`;
}

function bundleKey(run: Place, commit: string): string {
  return `${runPrefix(run.runKey)}/commits/${commit}.bundle`;
}
