/** An issue as GitHub tells it, in our words: the same for one that is asked for and for each of a list. */
export function toIssue({ number, title, body, user, labels, html_url: url, pull_request }: Told) {
  return {
    number,
    title,
    body: body ?? "",
    author: user?.login ?? null,
    labels: labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))).filter(Boolean),
    url,
    isPullRequest: pull_request !== undefined,
  };
}

interface Told {
  number: number;
  title: string;
  body?: string | null | undefined;
  user: { login: string } | null;
  labels: (string | { name?: string | null })[];
  html_url: string;
  pull_request?: unknown;
}
