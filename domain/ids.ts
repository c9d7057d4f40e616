/** Names of things that others find again: workflow ids, branches, markers, artifact keys. One function makes each. */

/** `owner/name` as GitHub spells it. Compare with {@link sameRepository}; ids use the lower-case form. */
export type RepositoryName = string;

export type Role = "classifier" | "planner" | "coder" | "reviewer";

const REPOSITORY = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})\/[A-Za-z0-9._-]{1,100}$/;

export function isRepositoryName(text: string): boolean {
  return REPOSITORY.test(text) && !/\/\.{1,2}$/.test(text);
}

export function sameRepository(a: RepositoryName, b: RepositoryName): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The workflow that resolves an issue: `issue/OWNER/REPO/NUMBER`, owner and repository in lower case. */
export function issueWorkflowId(repository: RepositoryName, issue: number): string {
  return `issue/${repository.toLowerCase()}/${issue}`;
}

/** The workflow of one agent: `issue/OWNER/REPO/NUMBER/ROLE`, and `/K` from its second run on. */
export function agentWorkflowId(issueId: string, role: Role, round: number): string {
  return round <= 1 ? `${issueId}/${role}` : `${issueId}/${role}/${round}`;
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
export function branchName(issue: number): string {
  return `mergewright/issue-${issue}`;
}

/** The issue that a branch of ours belongs to, or null for a branch that is not ours. */
export function issueOfBranch(branch: string): number | null {
  const match = /^mergewright\/issue-([1-9]\d{0,9})$/.exec(branch);
  return match ? Number(match[1]) : null;
}

/** What a person may type for a run: a workflow id, or `OWNER/REPO#NUMBER`. Returns the workflow id, or null. */
export function parseRunId(text: string): string | null {
  const short = /^([^/\s]+\/[^/#\s]+)#([1-9]\d{0,9})$/.exec(text);
  if (short) return isRepositoryName(short[1]!) ? issueWorkflowId(short[1]!, Number(short[2])) : null;
  const full = parseIssueWorkflowId(text);
  return full ? issueWorkflowId(full.repository, full.issue) : null;
}

/** The repository (in lower case) and the number behind `issue/OWNER/REPO/NUMBER`, or null. */
export function parseIssueWorkflowId(id: string): { repository: RepositoryName; issue: number } | null {
  const match = /^issue\/([^/\s]+\/[^/\s]+)\/([1-9]\d{0,9})$/.exec(id);
  if (!match || !isRepositoryName(match[1]!)) return null;
  return { repository: match[1]!.toLowerCase(), issue: Number(match[2]) };
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
  part: { reply: string } | { result: string },
): string {
  const name = "reply" in part ? `turns/${turn}.${part.reply}` : `results/${turn}.${part.result}`;
  return `${runPrefix(runKey)}/agents/${conversation}/${name}.json`;
}
