/** Effects on GitHub: each is one call of the port, which finds it before it makes it. */
import { refuseAuthority } from "../domain/approval.ts";
import { branchOfRun, reviewMarker } from "../domain/ids.ts";
import type { Artifacts, Forge, Mirror, PushResult } from "../domain/ports.ts";
import { reviewText } from "../domain/review-text.ts";
import { authorOf } from "./author.ts";
import { readableChecks } from "./checks.ts";
import { bringCommit } from "./commits.ts";
import type { Activities } from "./contract.ts";
import { working } from "./temporal.ts";

export interface GitHubParts {
  forge: Forge;
  mirror: Mirror;
  artifacts: Artifacts;
}

type GitHub = Pick<
  Activities,
  | "pushBranch"
  | "openPullRequest"
  | "readPullRequest"
  | "editPullRequest"
  | "setDraft"
  | "readChecks"
  | "explainChecks"
  | "postReview"
  | "readMergeQueue"
  | "reportStatus"
  | "mergePullRequest"
  | "putComment"
  | "addLabels"
  | "removeLabel"
  | "assign"
  | "react"
  | "closeIssue"
>;

/** Whoever breaks more checks than this has one reason for most of them. */
const MAX_EXPLAINED = 3;

export function createGitHub({ forge, mirror, artifacts }: GitHubParts): GitHub {
  return {
    pushBranch: ({ run, ground, commit, expected }) =>
      working(async ({ signal }) => {
        const branch = branchOfRun(run);
        await bringCommit({ mirror, artifacts }, run, commit, signal);
        const push = (over: string | null): Promise<PushResult> =>
          mirror.push(run.repository, ground.cloneUrl, { branch, commit, expected: over }, signal);
        const result = await push(expected);
        if (result.kind !== "moved" || result.actual === null || expected !== null) return result;
        // An earlier run of this issue may have left the branch. It is replaced when all on it is ours.
        const left = await mirror.fetch(run.repository, ground.cloneUrl, branch, signal);
        const base = await mirror.fetch(run.repository, ground.cloneUrl, ground.defaultBranch, signal);
        const authors = await mirror.authors(run.repository, base, left, signal);
        const ours = authors.every((email) => email === authorOf(ground.viewer).email);
        return ours ? push(left) : result;
      }),

    openPullRequest: ({ run, ground, title, body }) =>
      working(() =>
        forge.openPullRequest(run.repository, {
          head: branchOfRun(run),
          base: ground.defaultBranch,
          title,
          body,
          draft: true,
        }),
      ),

    mergePullRequest: ({ run, number, sha, method, approvedBy }) =>
      working(async () => {
        if (approvedBy !== null) {
          const reason = refuseAuthority(approvedBy, await forge.permission(run.repository, approvedBy));
          if (reason) return { kind: "approver-lost-permission", reason } as const;
        }
        return forge.merge(run.repository, number, { sha, method });
      }),

    putComment: ({ run, number, comment }) =>
      working(async () => {
        const { id, url } = await forge.putComment(run.repository, number, comment);
        return { id, url };
      }),

    readPullRequest: ({ run, number }) => working(() => forge.pullRequest(run.repository, number)),
    editPullRequest: ({ run, number, edit }) => working(() => forge.editPullRequest(run.repository, number, edit)),
    setDraft: ({ run, number, draft }) => working(() => forge.setDraft(run.repository, number, draft)),
    readChecks: ({ run, sha, branch }) =>
      working(async () => {
        const reports = await readableChecks(forge, run.repository, sha);
        return reports && { reports, required: await forge.requiredChecks(run.repository, branch) };
      }),
    explainChecks: ({ run, failures }) =>
      working(async () => {
        const told = [];
        for (const check of failures.slice(0, MAX_EXPLAINED)) {
          const details = await forge.checkDetails(run.repository, check);
          if (details !== "") told.push(`${check.name}:\n${details}`);
        }
        return told.join("\n\n");
      }),
    postReview: ({ run, number, sha, round, review }) =>
      working(async () => {
        const marker = reviewMarker(run.runKey, round);
        await forge.putReview(run.repository, number, { marker, commitId: sha, ...reviewText(review) });
      }),
    readMergeQueue: ({ run, number }) => working(() => forge.mergeQueue(run.repository, number)),
    reportStatus: ({ run, sha, report }) => working(() => forge.report(run.repository, sha, report)),
    addLabels: ({ run, number, labels }) => working(() => forge.addLabels(run.repository, number, labels)),
    removeLabel: ({ run, number, label }) => working(() => forge.removeLabel(run.repository, number, label)),
    assign: ({ run, number, login }) => working(() => forge.assign(run.repository, number, login)),
    react: ({ run, target }) => working(() => forge.react(run.repository, target, "eyes")),
    closeIssue: ({ run }) => working(() => forge.closeIssue(run.repository, run.issue)),
  };
}
