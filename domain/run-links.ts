/** Where people find a run: our page, and the Temporal Web UI. */
export interface LinkBases {
  /** As people reach them; null where none is known. */
  page: string | null;
  webUi: string | null;
}

export function pageLink(links: LinkBases, workflowId: string): string | null {
  return links.page === null ? null : `${links.page.replace(/\/+$/, "")}/runs/${encodeURIComponent(workflowId)}`;
}

export function webUiLink(links: LinkBases, workflowId: string, namespace = "default"): string | null {
  if (links.webUi === null) return null;
  return `${links.webUi.replace(/\/+$/, "")}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** `[the run](...) · [its workflow](...)`, or the workflow's id where there are no links. */
export function linkLine(links: LinkBases, workflowId: string, namespace?: string): string {
  const page = pageLink(links, workflowId);
  const workflow = webUiLink(links, workflowId, namespace);
  const parts = [page && `[the run](${page})`, workflow && `[its workflow](${workflow})`].filter(
    (part) => part !== null,
  );
  return parts.length > 0 ? parts.join(" · ") : `workflow \`${workflowId}\``;
}
