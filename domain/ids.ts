/** Names of things that others find again: workflow ids, branches, markers, artifact keys. One function makes each. */

/** `owner/name` as GitHub spells it. Compare with {@link sameRepository}; ids use the lower-case form. */
export type RepositoryName = string;

export type Role = "classifier" | "planner" | "coder" | "reviewer";

const REPOSITORY = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})\/[A-Za-z0-9._-]{1,100}$/;

export function isRepositoryName(text: string): boolean {
  return REPOSITORY.test(text) && !/\/\.{1,2}$/.test(text);
}

/** Of people, of managed users (with an underscore), and of Apps (`name[bot]`). */
const LOGIN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?$/;

/** Can be a login of GitHub's. */
export function isLogin(text: string): boolean {
  return LOGIN.test(text);
}

export function sameRepository(a: RepositoryName, b: RepositoryName): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A run of an issue: the one that its triggers start, or a fork of it by its number. */
export interface IssueRun {
  issue: number;
  /** null: not a fork. */
  fork: number | null;
}

/** The workflow that resolves an issue: `issue/OWNER/REPO/NUMBER`, owner and repository in lower case; a fork's ends with `/fork/K`. */
export function issueWorkflowId(repository: RepositoryName, issue: number, fork: number | null = null): string {
  const id = `issue/${repository.toLowerCase()}/${issue}`;
  return fork === null ? id : `${id}/fork/${fork}`;
}

/** The workflow of one agent: `issue/OWNER/REPO/NUMBER/ROLE`, and `/K` from its second run on. */
export function agentWorkflowId(issueId: string, role: Role, round: number): string {
  return round <= 1 ? `${issueId}/${role}` : `${issueId}/${role}/${round}`;
}

/** The workflow that indexes a repository's code. */
export function indexWorkflowId(repository: RepositoryName): string {
  return `index/${repository.toLowerCase()}`;
}

/** The one writer of what is remembered of a repository. */
export function memoryWorkflowId(repository: RepositoryName): string {
  return `memory/${repository.toLowerCase()}`;
}

/** The workflow that takes in one webhook delivery: `delivery/GUID`. */
export function deliveryWorkflowId(guid: string): string {
  return `delivery/${guid}`;
}

/** The task queue of steps that open a run's sandboxes: any worker with room for one more run. */
export function sandboxQueue(taskQueue: string): string {
  return `${taskQueue}-sandboxes`;
}

/** The task queue of one worker's home: the steps in sandboxes that it keeps. */
export function homeQueue(taskQueue: string, home: string): string {
  return `${taskQueue}-home-${home}`;
}

/** The home behind its task queue, as people read it. */
export function homeName(queue: string): string {
  return queue.slice(queue.lastIndexOf("-home-") + "-home-".length);
}

/** The only branch that a run ever pushes. */
export function branchName(issue: number, fork: number | null = null): string {
  return fork === null ? `mergewright/issue-${issue}` : `mergewright/issue-${issue}-fork-${fork}`;
}

/** The branch of the run of this workflow id. */
export function branchOfRun(run: { id: string; issue: number }): string {
  return branchName(run.issue, parseIssueWorkflowId(run.id)?.fork ?? null);
}

/** The run that a branch of ours belongs to, or null for a branch that is not ours. */
export function runOfBranch(branch: string): IssueRun | null {
  const match = /^mergewright\/issue-([1-9]\d{0,9})(?:-fork-([1-9]\d{0,5}))?$/.exec(branch);
  return match && { issue: Number(match[1]), fork: numberOrNull(match[2]) };
}

/** What a person may type for a run: a workflow id, `OWNER/REPO#NUMBER`, or `OWNER/REPO#NUMBER/fork/K`. Returns the workflow id, or null. */
export function parseRunId(text: string): string | null {
  const short = /^([^/\s]+\/[^/#\s]+)#([1-9]\d{0,9}(?:\/fork\/[1-9]\d{0,5})?)$/.exec(text);
  const found = parseIssueWorkflowId(short ? `issue/${short[1]}/${short[2]}` : text);
  return found && issueWorkflowId(found.repository, found.issue, found.fork);
}

/** The repository (in lower case) and the numbers behind `issue/OWNER/REPO/NUMBER[/fork/K]`, or null. */
export function parseIssueWorkflowId(id: string): ({ repository: RepositoryName } & IssueRun) | null {
  const match = /^issue\/([^/\s]+\/[^/\s]+)\/([1-9]\d{0,9})(?:\/fork\/([1-9]\d{0,5}))?$/.exec(id);
  if (!match || !isRepositoryName(match[1]!)) return null;
  return { repository: match[1]!.toLowerCase(), issue: Number(match[2]), fork: numberOrNull(match[3]) };
}

export function isFork(runId: string): boolean {
  return (parseIssueWorkflowId(runId)?.fork ?? null) !== null;
}

/** The id of the run that a workflow belongs to: its own, or that of the run whose agent it is. Null: it belongs to none. */
export function runIdOfWorkflow(workflowId: string): string | null {
  const run = /^(issue\/[^/]+\/[^/]+\/\d+(?:\/fork\/\d+)?)(?:\/|$)/.exec(workflowId)?.[1];
  return run !== undefined && parseIssueWorkflowId(run) ? run : null;
}

/** As people read it: `owner/repo#NUMBER`, and of a fork `owner/repo#NUMBER/fork/K`. */
export function runName({ id, repository, issue }: { id: string; repository: RepositoryName; issue: number }): string {
  const fork = parseIssueWorkflowId(id)?.fork ?? null;
  return fork === null ? `${repository}#${issue}` : `${repository}#${issue}/fork/${fork}`;
}

function numberOrNull(digits: string | undefined): number | null {
  return digits === undefined ? null : Number(digits);
}

/** Every marker of ours begins so. A comment that carries one is never read as a command. */
export const MARKER_PREFIX = "<!-- mergewright:";

/** The hidden line by which a comment of ours is found again before another is made. */
export function commentMarker(
  kind: "progress" | "pull-request" | "ending" | `reminder-${string}`,
  runKey: string,
): string {
  return `${MARKER_PREFIX}${kind} run=${runKey} -->`;
}

/** Hidden in our review of one commit, by which it is known again. */
export function reviewMarker(runKey: string, round: number): string {
  return `${MARKER_PREFIX}review-${round} run=${runKey} -->`;
}

/** Where the artifact store keeps what belongs to a run. */
export function runPrefix(runKey: string): string {
  return `runs/${runKey}`;
}

/**
 * Where the artifact store keeps a part of a turn. One folder for all turns: a new folder for each would have to be made
 * safe on the disk as well.
 */
export function turnKey(
  runKey: string,
  conversation: string,
  turn: number,
  part: { reply: string } | { result: string } | { losses: string },
): string {
  const name =
    "reply" in part
      ? `turns/${turn}.${part.reply}`
      : "result" in part
        ? `results/${turn}.${part.result}`
        : `losses/${turn}.${part.losses}`;
  return `${runPrefix(runKey)}/agents/${conversation}/${name}.json`;
}
