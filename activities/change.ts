/** From what the coder left to one commit of ours: taken in with checks, judged by the policy, written on the host. */
import { NotFound } from "../domain/errors.ts";
import { branchOfRun, runPrefix } from "../domain/ids.ts";
import type { ChangeSet } from "../domain/change.ts";
import { isTestPath } from "../domain/paths.ts";
import { judgeChange } from "../domain/policy.ts";
import type { Artifacts, Mirror } from "../domain/ports.ts";
import { commitMessage } from "../domain/pull-request-text.ts";
import { findSecrets } from "../domain/secrets.ts";
import { headOf } from "../domain/text.ts";
import { putJson } from "./artifacts.ts";
import { authorOf } from "./author.ts";
import { bringCommit, keepCommit } from "./commits.ts";
import type { Activities, BroughtIn, Change, RunRef, Violation } from "./contract.ts";
import type { SettingsOfRuns } from "./run-settings.ts";
import { working } from "./temporal.ts";
import { checkpointBundles } from "./workspace.ts";

export interface ChangeParts {
  mirror: Mirror;
  artifacts: Artifacts;
  settings: SettingsOfRuns;
  /** Secrets that the worker itself holds; none of them may leave in a change. */
  secrets: readonly string[];
}

export function createChange({
  mirror,
  artifacts,
  settings,
  secrets,
}: ChangeParts): Pick<Activities, "collectChange" | "bringIn"> {
  const commits = { mirror, artifacts };

  /** What a commit of ours changes against its base, judged by the policy, and kept for every machine. */
  const judged = async (run: RunRef, base: string, headSha: string, signal: AbortSignal): Promise<Change> => {
    const { policy } = await settings.of(run);
    const { repository } = run;
    const found = await mirror.diff(repository, base, headSha, signal);
    await putJson(artifacts, changeKey(run, headSha), found);
    const changedTestPaths = found.files.flatMap((file) => testPathsOf(file.path, file.oldPath));
    const baseWithNewTests =
      changedTestPaths.length === 0
        ? null
        : await mirror.overlay(repository, { onto: base, from: headSha, paths: changedTestPaths }, signal);
    await keepCommit(commits, run, headSha, base, signal);
    if (baseWithNewTests !== null) await keepCommit(commits, run, baseWithNewTests, base, signal);
    return {
      headSha,
      empty: found.files.length === 0,
      files: found.files
        .slice(0, 300)
        .map(({ path, status, additions, deletions }) => ({ path: fit(path), status, additions, deletions })),
      changedTestPaths: changedTestPaths.slice(0, 300).map(fit),
      baseWithNewTests,
      violations: [...judgeChange(found, policy).violations, ...secretsIn(found, secrets)].slice(0, 50),
      unresolved: [],
    };
  };

  return {
    collectChange: (input) =>
      working(async ({ signal }): Promise<Change> => {
        const { run, base, from } = input;
        const { repository } = run;
        for (const commit of [base, from, ...input.parents]) await bringCommit(commits, run, commit, signal);
        let left = from;
        for (const bundle of await checkpointBundles(artifacts, run, input.checkpoint)) {
          left = await mirror.take(repository, bundle, signal);
        }
        const message = commitMessage({
          title: input.title,
          issue: run.issue,
          summary: input.summary,
          round: input.round,
        });
        const headSha = await mirror.commit(
          repository,
          { treeOf: left, parents: input.parents, message, author: authorOf(input.viewer), date: input.date },
          signal,
        );
        const change = await judged(run, base, headSha, signal);
        const conflicted = await mirror.files(repository, left, input.conflicts, signal);
        return { ...change, unresolved: input.conflicts.filter((path) => hasMarkers(conflicted.get(path))) };
      }),

    bringIn: (input) =>
      working(async ({ signal }): Promise<BroughtIn> => {
        const { run, ground, ours, pushed } = input;
        const { repository } = run;
        const fetch = (branch: string): Promise<string> => mirror.fetch(repository, ground.cloneUrl, branch, signal);
        const known = [input.base, ours, pushed].filter((commit) => commit !== null);
        for (const commit of known) await bringCommit(commits, run, commit, signal);

        const newest = await fetch(ground.defaultBranch);
        let theirs = newest;
        let base = newest;
        if (input.what === "head") {
          try {
            theirs = await fetch(branchOfRun(run));
          } catch (error) {
            if (error instanceof NotFound) return { kind: "gone" };
            throw error;
          }
          // They may have merged the default branch themselves: what came from there is not the change.
          base = (await mirror.mergeBase(repository, newest, theirs, signal)) ?? input.base;
        }
        await keepCommit(commits, run, base, input.base, signal);
        if (ours === null) return { kind: "merged", base, theirs, change: await judged(run, base, theirs, signal) };
        if (input.what === "head" && pushed !== null) {
          const common = await mirror.mergeBase(repository, pushed, theirs, signal);
          if (common !== pushed) return { kind: "rewritten", actual: theirs };
        }
        const common = await mirror.mergeBase(repository, ours, theirs, signal);
        if (common === theirs) return { kind: "merged", base, theirs, change: await judged(run, base, ours, signal) };
        if (common === ours) return { kind: "merged", base, theirs, change: await judged(run, base, theirs, signal) };

        const parents = input.what === "base" ? [ours, theirs] : [theirs, ours];
        const { tree, conflicts } = await mirror.merge(repository, { ours, theirs }, signal);
        const author = authorOf(ground.viewer);
        const what = input.what === "base" ? ground.defaultBranch : `what was pushed to ${branchOfRun(run)}`;
        const message = `Merge ${what} into the change for issue ${run.issue}\n\nRefs #${run.issue}\n`;
        const made = { treeOf: tree, message, author, date: input.date };
        if (conflicts.length === 0) {
          const merged = await mirror.commit(repository, { ...made, parents }, signal);
          return { kind: "merged", base, theirs, change: await judged(run, base, merged, signal) };
        }
        const from = await mirror.commit(repository, { ...made, parents: [ours] }, signal);
        await keepCommit(commits, run, theirs, base, signal);
        await keepCommit(commits, run, from, base, signal);
        return { kind: "conflict", base, theirs, from, parents, paths: conflicts.slice(0, 100) };
      }),
  };
}

/** As people read them; a path may have 4,096 bytes, and a result over 2 MB would end the run. */
function fit(path: string): string {
  return path.length <= MAX_PATH ? path : `${headOf(path, MAX_PATH)}…`;
}
const MAX_PATH = 300;
/** Git writes seven signs and a name; a line of seven equals signs alone may be a heading. */
function hasMarkers(content: Uint8Array | undefined): boolean {
  const text = content === undefined ? "" : Buffer.from(content).toString("utf8");
  return /^<{7} .*$/m.test(text) && /^>{7} .*$/m.test(text);
}

/** Where the diff that a reviewer reads is kept. */
export function changeKey(run: RunRef, headSha: string): string {
  return `${runPrefix(run.runKey)}/changes/${headSha}.json`;
}

/** A moved test counts with both of its names. */
function testPathsOf(path: string, oldPath: string | null): string[] {
  return [path, ...(oldPath ? [oldPath] : [])].filter(isTestPath);
}

function secretsIn(change: ChangeSet, secrets: readonly string[]): Violation[] {
  const added = change.patch
    .split("\n")
    .filter((line) => line.startsWith("+"))
    .join("\n");
  const kinds = new Set(findSecrets(added, secrets).map((finding) => finding.kind));
  return [...kinds].map((kind) => ({
    rule: "secrets",
    path: "(the change)",
    detail: `an added line holds what looks like a secret: ${kind}`,
    severity: "refuse",
  }));
}
