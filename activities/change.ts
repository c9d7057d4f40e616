/** From what the coder left to one commit of ours: taken in with checks, judged by the policy, written on the host. */
import { runPrefix } from "../domain/ids.ts";
import type { ChangeSet } from "../domain/change.ts";
import { isTestPath } from "../domain/paths.ts";
import { judgeChange } from "../domain/policy.ts";
import type { Artifacts, Mirror } from "../domain/ports.ts";
import { commitMessage } from "../domain/pull-request-text.ts";
import { findSecrets } from "../domain/secrets.ts";
import { putJson } from "./artifacts.ts";
import { authorOf } from "./author.ts";
import { bringCommit, keepCommit } from "./commits.ts";
import type { Activities, Change, RunRef, Violation } from "./contract.ts";
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

export function createChange({ mirror, artifacts, settings, secrets }: ChangeParts): Pick<Activities, "collectChange"> {
  const commits = { mirror, artifacts };
  return {
    collectChange: (input) =>
      working(async ({ signal }): Promise<Change> => {
        const { run, base } = input;
        const { policy } = await settings.of(run);
        const { repository } = run;
        await bringCommit(commits, run, base, signal);
        await bringCommit(commits, run, input.parent, signal);
        let left = base;
        for (const bundle of await checkpointBundles(artifacts, run, input.checkpoint)) {
          left = await mirror.take(repository, bundle, signal);
        }
        const found = await mirror.diff(repository, base, left, signal);
        const message = commitMessage({
          title: input.title,
          issue: run.issue,
          summary: input.summary,
          round: input.round,
        });
        const headSha = await mirror.commit(
          repository,
          { treeOf: left, parents: [input.parent], message, author: authorOf(input.viewer), date: input.date },
          signal,
        );
        await putJson(artifacts, changeKey(run, headSha), found);

        const changedTestPaths = found.files.flatMap((file) => testPathsOf(file.path, file.oldPath));
        const baseWithNewTests =
          changedTestPaths.length === 0
            ? null
            : await mirror.overlay(repository, { onto: base, from: left, paths: changedTestPaths }, signal);
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
        };
      }),
  };
}

/** As people read them; a path may have 4,096 bytes, and a result over 2 MB would end the run. */
function fit(path: string): string {
  return path.length <= MAX_PATH ? path : `${path.slice(0, MAX_PATH)}…`;
}
const MAX_PATH = 300;

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
