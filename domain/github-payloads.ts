/**
 * The parts of GitHub's webhook payloads that we read. What we do not read is dropped unseen, so that a field which
 * GitHub adds or retypes elsewhere is no fault.
 */
import { z } from "zod";
import type { Actor } from "./events.ts";
import { isRepositoryName } from "./ids.ts";
import { headOf } from "./text.ts";

/** GitHub keeps 65,536 characters; four times that still passes Temporal's 2 MB when every one of them is escaped. */
export const MAX_TEXT = 262_144;
const MAX_TITLE = 1024;
const MAX_LABELS = 100;

const text = (max: number) =>
  z
    .string()
    .nullish()
    .transform((value) => headOf(value ?? "", max));

/** An optional part: absent, null and wrongly typed are all null. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullish()
    .catch(null)
    .transform((value) => value ?? null);

const Sha = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i, "not a full commit id")
  .transform((sha) => sha.toLowerCase());

/** ISO 8601 in UTC, so that times compare as texts; GitHub also writes offsets. */
const Time = optional(z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()));

const Repository = z.object({ full_name: z.string().refine(isRepositoryName, "not OWNER/NAME") });

const Account = z
  .object({ login: z.string().min(1).max(100), id: z.int().nonnegative(), type: optional(z.string()) })
  .transform(({ login, id, type }): Actor => ({
    login,
    id,
    isBot: type === "Bot" || login.toLowerCase().endsWith("[bot]"),
  }));

/** null: a deleted account, or GitHub itself. */
const User = Account.nullish().transform((user) => user ?? null);

const LabelName = z.union([z.string(), z.object({ name: z.string() }).transform((label) => label.name)]);

const Issue = z.object({
  number: z.int().positive(),
  title: text(MAX_TITLE),
  body: text(MAX_TEXT),
  user: User,
  labels: optional(z.array(LabelName)).transform((labels) =>
    (labels ?? []).slice(0, MAX_LABELS).map((name) => headOf(name, MAX_TITLE)),
  ),
  html_url: text(2048),
  state: optional(z.string()),
  updated_at: Time,
  pull_request: z.unknown().optional(),
});

const PullRequest = z.object({
  number: z.int().positive(),
  head: z.object({ ref: z.string(), sha: Sha, repo: optional(Repository) }),
  merged: optional(z.boolean()),
  merge_commit_sha: optional(Sha),
  updated_at: Time,
});

const common = { repository: Repository, sender: User };

export const ActionPayload = z.object({ action: z.string().nullish() });

export const OwnersPayload = z.object({
  repository: optional(Repository),
  organization: optional(z.object({ login: z.string() })),
  installation: optional(z.object({ account: optional(z.object({ login: z.string() })) })),
});

export const IssuesPayload = z.object({
  ...common,
  issue: Issue,
  label: optional(LabelName),
  assignee: optional(Account),
});

export const CommentPayload = z.object({
  ...common,
  issue: Issue,
  comment: z.object({ id: z.int().positive(), body: text(MAX_TEXT), created_at: Time }),
});

export const PullRequestPayload = z.object({ ...common, pull_request: PullRequest });

export const ReviewPayload = z.object({
  ...common,
  pull_request: PullRequest,
  review: z.object({
    state: z.string(),
    user: User,
    body: text(MAX_TEXT),
    commit_id: optional(Sha),
    submitted_at: Time,
  }),
});

const Branch = optional(z.string());

export const CheckSuitePayload = z.object({
  ...common,
  check_suite: z.object({ head_branch: Branch, head_sha: Sha, updated_at: Time }),
});

export const CheckRunPayload = z.object({
  ...common,
  check_run: z.object({
    head_sha: Sha,
    completed_at: Time,
    check_suite: optional(z.object({ head_branch: Branch })),
  }),
});

export const StatusPayload = z.object({
  ...common,
  sha: Sha,
  state: z.string(),
  branches: optional(z.array(z.object({ name: z.string() }))),
  updated_at: Time,
});

export type IssueFields = z.infer<typeof Issue>;
export type PullRequestFields = z.infer<typeof PullRequest>;

/** `repository.deleted`, `installation.deleted`, `installation_repositories.removed`: each names what is gone in its own way. */
export const RepositoriesGonePayload = z
  .object({
    sender: User,
    repository: optional(Repository),
    repositories: optional(z.array(Repository)),
    repositories_removed: optional(z.array(Repository)),
  })
  .transform(({ sender, repository, repositories, repositories_removed: removed }) => ({
    sender,
    repositories: [...(repository ? [repository] : []), ...(repositories ?? []), ...(removed ?? [])]
      .map(({ full_name: name }) => name)
      .slice(0, MAX_GONE),
  }));

const From = optional(z.object({ from: z.string() }));
const OldOwner = optional(z.object({ login: z.string() }));

/** `repository.renamed` and `repository.transferred`: what it was called before, which is its name of today where nothing is said. */
export const RepositoryMovedPayload = z
  .object({
    sender: User,
    repository: Repository.extend({ updated_at: Time }),
    changes: optional(
      z.object({
        repository: optional(z.object({ name: From })),
        owner: optional(z.object({ from: optional(z.object({ user: OldOwner, organization: OldOwner })) })),
      }),
    ),
  })
  .transform(({ sender, repository: { full_name: now, updated_at: at }, changes }) => {
    const [owner, name] = now.split("/");
    const from = changes?.owner?.from;
    const was = `${from?.user?.login ?? from?.organization?.login ?? owner}/${changes?.repository?.name?.from ?? name}`;
    return { sender, at, now, was: isRepositoryName(was) && was.toLowerCase() !== now.toLowerCase() ? was : null };
  });

const Login = z.string().regex(/^[a-z\d][a-z\d_-]{0,99}$/i, "not a GitHub login");

/** `installation_target.renamed`: an account with all of its repositories. */
export const OwnerRenamedPayload = z.object({
  sender: User,
  account: z.object({ login: Login }),
  changes: z.object({ login: z.object({ from: Login }) }),
});

/** An installation may hold thousands; GitHub itself splits longer lists. */
const MAX_GONE = 5_000;
