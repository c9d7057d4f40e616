/** Reviews: what people say about one commit of a pull request. */
import { type Need } from "../access.ts";
import { reviewHappened } from "../events.ts";
import { git, hasCommit } from "../git.ts";
import { checkLength, type Fields, invalid, notFound, Refusal, requiredText, text } from "../http.ts";
import { gitDirectory, newId, now } from "../played.ts";
import { type PullIssue, renderReview, renderReviewComment } from "../render-pull.ts";
import { type AskedOf, isAtLeast, login, page, repositoryRoute, type Route } from "../router.ts";
import type { Review } from "../world.ts";
import { pullOf } from "./pulls.ts";

type LineComment = NonNullable<Review["comments"]>[number];

const READ: Need = { role: "read", app: "pull_requests:read" };
const REVIEW: Need = { role: "read", app: "pull_requests:write" };
const DISMISS: Need = { role: "write", app: "pull_requests:write" };

const STATES: Readonly<Record<string, Review["state"]>> = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
};

/** GitHub takes a comment only on a line that the diff shows, and refuses the whole review for one that is not. */
async function lineComments(asked: AskedOf, { pull }: PullIssue, commitId: string): Promise<LineComment[]> {
  const given = asked.body["comments"] ?? [];
  if (!Array.isArray(given)) throw invalid("PullRequestReview", "comments", "invalid");
  const directory = gitDirectory(asked.played, asked.repository);
  const comments: LineComment[] = [];
  for (const one of given as Fields[]) {
    const path = requiredText(one, "path", "PullRequestReviewComment");
    const body = requiredText(one, "body", "PullRequestReviewComment");
    const line = Number(one["line"]);
    const shown = await shownLines(directory, pull.baseSha, commitId, path);
    if (shown === null) throw new Refusal(422, "Unprocessable Entity", ["Path could not be resolved"]);
    if (!shown.has(line)) throw new Refusal(422, "Unprocessable Entity", ["Line could not be resolved"]);
    comments.push({ path, line, body });
  }
  return comments;
}

/** Numbers of the lines of the new file that a diff shows, with the three around each change; null: not in the diff. */
async function shownLines(directory: string, base: string, head: string, path: string): Promise<Set<number> | null> {
  const diff = await git(directory, ["diff", `${base}...${head}`, "--", path]);
  if (diff === "") return null;
  const lines = new Set<number>();
  for (const [, from, count] of diff.matchAll(/^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/gm)) {
    for (let at = 0; at < Number(count ?? 1); at += 1) lines.add(Number(from) + at);
  }
  return lines;
}

export const reviewRoutes: Route[] = [
  repositoryRoute("GET", "/pulls/{pull_number}/comments", READ, (asked) => {
    const { played, repository } = asked;
    const issue = pullOf(asked);
    const path = `/repos/${repository.owner}/${repository.name}/pulls/${issue.number}/comments`;
    const all = issue.pull.reviews.flatMap((review) =>
      (review.comments ?? []).map((comment, index) =>
        renderReviewComment(played, repository, issue, review, comment, index),
      ),
    );
    return page(asked, path, all);
  }),

  repositoryRoute("GET", "/pulls/{pull_number}/reviews", READ, (asked) => {
    const { played, repository } = asked;
    const issue = pullOf(asked);
    const path = `/repos/${repository.owner}/${repository.name}/pulls/${issue.number}/reviews`;
    return page(
      asked,
      path,
      issue.pull.reviews.map((review) => renderReview(played, repository, issue, review)),
    );
  }),

  repositoryRoute("POST", "/pulls/{pull_number}/reviews", REVIEW, async (asked) => {
    const { played, repository, actor } = asked;
    const issue = pullOf(asked);
    const event = requiredText(asked.body, "event", "PullRequestReview");
    const state = STATES[event];
    if (!state) throw invalid("PullRequestReview", "event", "invalid");
    const author = login(asked);
    if (author === issue.author && state !== "COMMENTED") {
      const act = state === "APPROVED" ? "approve" : "request changes on";
      throw new Refusal(422, "Unprocessable Entity", [`Can not ${act} your own pull request`]);
    }
    const body = checkLength(text(asked.body, "body", "PullRequestReview"), "PullRequestReview") ?? "";
    if (body === "" && state !== "APPROVED") throw invalid("PullRequestReview", "body", "missing_field");
    const commitId = text(asked.body, "commit_id", "PullRequestReview") ?? issue.pull.headSha;
    if (!(await hasCommit(gitDirectory(played, repository), commitId)))
      throw invalid("PullRequestReview", "commit_id", "invalid");
    const comments = await lineComments(asked, issue, commitId);
    const review = { id: newId(played), author, body, state, commitId, submittedAt: now(), comments };
    issue.pull.reviews.push(review);
    reviewHappened({ played, repository, actor }, "submitted", issue, review);
    return { status: 200, body: renderReview(played, repository, issue, review) };
  }),

  repositoryRoute("PUT", "/pulls/{pull_number}/reviews/{review_id}/dismissals", DISMISS, (asked) => {
    const { played, repository, actor } = asked;
    const issue = pullOf(asked);
    requiredText(asked.body, "message", "PullRequestReview");
    const review = issue.pull.reviews.find((candidate) => String(candidate.id) === asked.params["review_id"]);
    if (!review || !isAtLeast(asked, "write")) throw notFound();
    review.state = "DISMISSED";
    reviewHappened({ played, repository, actor }, "dismissed", issue, review);
    return { status: 200, body: renderReview(played, repository, issue, review) };
  }),
];
