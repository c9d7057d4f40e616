/** What the Web UI and `temporal workflow list` can filter runs by. Registered by the worker where they are missing. */
import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from "@temporalio/common";
import type { RunStatus } from "../domain/run.ts";

export const repositoryAttribute = defineSearchAttributeKey("MergewrightRepository", SearchAttributeType.KEYWORD);
export const issueAttribute = defineSearchAttributeKey("MergewrightIssue", SearchAttributeType.INT);
export const phaseAttribute = defineSearchAttributeKey("MergewrightPhase", SearchAttributeType.KEYWORD);
export const categoryAttribute = defineSearchAttributeKey("MergewrightCategory", SearchAttributeType.KEYWORD);
export const pullRequestAttribute = defineSearchAttributeKey("MergewrightPullRequest", SearchAttributeType.INT);
export const costAttribute = defineSearchAttributeKey("MergewrightCostUsd", SearchAttributeType.DOUBLE);

/** All of them, by name and type. */
export const searchAttributes = [
  repositoryAttribute,
  issueAttribute,
  phaseAttribute,
  categoryAttribute,
  pullRequestAttribute,
  costAttribute,
] as const;

export function searchAttributesOf(status: RunStatus): SearchAttributePair[] {
  const pairs: SearchAttributePair[] = [
    { key: repositoryAttribute, value: status.repository.toLowerCase() },
    { key: issueAttribute, value: status.issue },
    { key: phaseAttribute, value: status.phase },
    { key: costAttribute, value: status.costUsd },
  ];
  if (status.category) pairs.push({ key: categoryAttribute, value: status.category });
  if (status.pullRequest) pairs.push({ key: pullRequestAttribute, value: status.pullRequest.number });
  return pairs;
}
