/** What Temporal knows of runs, for upkeep: which are open, and on which repositories there were some. */
import type { Client, WorkflowExecutionInfo } from "@temporalio/client";
import { parseIssueWorkflowId, type RepositoryName } from "../domain/ids.ts";
import { RESOLVE_ISSUE } from "../workflows/messages.ts";
import { phaseAttribute, pullRequestAttribute } from "../workflows/search-attributes.ts";

export interface OpenRun {
  workflowId: string;
  repository: RepositoryName;
  /** Of its issue, and of its pull request where there is one. */
  numbers: number[];
  phase: string | undefined;
}

/** The latest of them tell on what we work. */
const MAX_RUNS = 2_000;

export async function openRuns(client: Client): Promise<OpenRun[]> {
  const runs: OpenRun[] = [];
  const query = `WorkflowType = '${RESOLVE_ISSUE}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
    const found = parseIssueWorkflowId(workflowId);
    if (!found) continue;
    const pullRequest = typedSearchAttributes.get(pullRequestAttribute);
    const numbers = pullRequest === undefined ? [found.issue] : [found.issue, pullRequest];
    runs.push({ workflowId, repository: found.repository, numbers, phase: typedSearchAttributes.get(phaseAttribute) });
  }
  return runs;
}

/** In lower case, those of the newest runs first. */
export async function repositoriesOfRuns(client: Client): Promise<RepositoryName[]> {
  const found = new Set<RepositoryName>();
  let seen = 0;
  for await (const run of client.workflow.list({ query: `WorkflowType = '${RESOLVE_ISSUE}'` })) {
    const issue = parseIssueWorkflowId((run satisfies WorkflowExecutionInfo).workflowId);
    if (issue) found.add(issue.repository);
    seen += 1;
    if (seen >= MAX_RUNS) break;
  }
  return [...found];
}
