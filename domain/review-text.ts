/** What our reviewer says on GitHub: a verdict in the body, each finding on its line. The agents' words are made inert. */
import type { Review } from "./outputs.ts";
import type { ReviewInput } from "./ports.ts";
import { inertMarkdown, inertPlain } from "./text.ts";

const VERDICTS: Readonly<Record<Review["verdict"], string>> = {
  approve: "Mergewright's reviewer has nothing against this change. A person decides.",
  "request-changes": "Mergewright's reviewer asks for changes; they go back to the coder.",
};

export function reviewText({ verdict, summary, findings }: Review): Pick<ReviewInput, "body" | "comments"> {
  return {
    body: `${VERDICTS[verdict]}\n\n${inertMarkdown(summary)}`.trim(),
    comments: findings.map(({ path, line, severity, finding }) => ({
      path: inertPlain(path),
      line,
      body: `**${severity}**: ${inertMarkdown(finding)}`,
    })),
  };
}
