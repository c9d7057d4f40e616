/** Payloads as GitHub sends them, as far as we read them. */
import { readDelivery, type GitHubEvent } from "../../domain/delivery.ts";

export const headers = { guid: "g-1", receivedAt: "2026-01-02T03:04:05.000Z" };
export const sha = "a".repeat(40);

export const repository = { full_name: "Acme/Shop", name: "Shop" };
export const ada = { login: "ada", id: 7, type: "User" };
export const bot = { login: "helper[bot]", id: 99, type: "Bot" };
export const issue = {
  number: 5,
  title: "Total is wrong",
  body: "It is 3, not 2.",
  user: ada,
  labels: [{ name: "bug" }],
  state: "open",
  html_url: "https://github.com/Acme/Shop/issues/5",
  updated_at: "2026-01-01T00:00:00Z",
};
export const labelled = { ...issue, labels: [{ name: "Mergewright" }] };
export const pullRequest = {
  number: 8,
  head: { ref: "mergewright/issue-5", sha, repo: repository },
  merged: false,
  updated_at: "2026-01-01T00:00:00Z",
};
export const forked = { ...pullRequest, head: { ...pullRequest.head, ref: "mergewright/issue-5-fork-2" } };
export const review = {
  state: "approved",
  user: ada,
  body: "Nice",
  commit_id: sha,
  submitted_at: "2026-01-01T00:00:00Z",
};
export const comment = { id: 77, body: "/mergewright run", user: ada, created_at: "2026-01-01T00:00:00Z" };

export function read(name: string, payload: object): GitHubEvent {
  const result = readDelivery(name, { repository, sender: ada, ...payload }, headers);
  if (result.kind !== "read") throw new Error(`${result.kind}: ${result.reason}`);
  return result.event;
}
