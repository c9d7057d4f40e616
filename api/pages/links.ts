/** Where the pages lead: to each other, to GitHub, to Temporal's Web UI. */
import type { RunView } from "../runs.ts";

export interface PageLinks {
  /** Where people read issues, such as `https://github.com`; null where nobody can. */
  githubWeb: string | null;
  /** Temporal's Web UI; null where there is none. */
  temporalWebUi: string | null;
  namespace: string;
}

export function runUrl(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}

export function gitHubIssueUrl({ githubWeb }: PageLinks, { repository, issue }: RunView): string | null {
  return githubWeb === null ? null : `${githubWeb.replace(/\/$/, "")}/${repository}/issues/${issue}`;
}

export function temporalUrl({ temporalWebUi, namespace }: PageLinks, { id, execution }: RunView): string | null {
  if (temporalWebUi === null) return null;
  const path = [namespace, "workflows", id, execution.runId, "history"].map(encodeURIComponent).join("/");
  return `${temporalWebUi.replace(/\/$/, "")}/namespaces/${path}`;
}
