/** Reviews: what people say about one commit of a pull request. */
import { type Need } from "../access.ts";
import { reviewHappened } from "../events.ts";
import { git, hasCommit } from "../git.ts";
import { checkLength, type Fields, invalid, notFound, Refusal, requiredText, text } from "../http.ts";
import { gitDirectory, newId, now } from "../played.ts";
import { type PullIssue, renderReview, renderReviewComment } from "../render-pull.ts";
import { type AskedOf, isAtLeast, login, page, repositoryRoute, type Route } from "../router.ts";
import { type Review, submittedReviews } from "../world.ts";
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

/** What the review becomes; null: nothing is said of it. */
function stateAsked(asked: AskedOf, issue: PullIssue): Review["state"] | null {
  const event = text(asked.body, "event", "PullRequestReview");
  if (event === null) return null;
  const state = STATES[event];
  if (!state) throw invalid("PullRequestReview", "event", "invalid");
  if (login(asked) === issue.author && state !== "COMMENTED") {
    const act = state === "APPROVED" ? "approve" : "request changes on";
    throw new Refusal(422, "Unprocessable Entity", [`Can not ${act} your own pull request`]);
  }
  return state;
}

function bodyAsked(asked: AskedOf): string | null {
  return checkLength(text(asked.body, "body", "PullRequestReview"), "PullRequestReview");
}

/** A draft of somebody else does not exist for the others. */
function ownReview(asked: AskedOf, { pull }: PullIssue): Review {
  const author = login(asked);
  const found = pull.reviews.find((review) => String(review.id) === asked.params["review_id"]);
  if (found?.author !== author) throw notFound();
  return found;
}

export const reviewRoutes: Route[] = [
  repositoryRoute("GET", "/pulls/{pull_number}/comments", READ, (asked) => {
    const { played, repository } = asked;
    const issue = pullOf(asked);
    const path = `/repos/${repository.owner}/${repository.name}/pulls/${issue.number}/comments`;
    const all = submittedReviews(issue.pull).flatMap((review) =>
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
      issue.pull.reviews
        .filter((review) => review.state !== "PENDING" || review.author === asked.actor.login)
        .map((review) => renderReview(played, repository, issue, review)),
    );
  }),

  repositoryRoute("POST", "/pulls/{pull_number}/reviews", REVIEW, async (asked) => {
    const { played, repository, actor } = asked;
    const issue = pullOf(asked);
    const state = stateAsked(asked, issue) ?? "PENDING";
    const author = login(asked);
    if (issue.pull.reviews.some((review) => review.state === "PENDING" && review.author === author))
      throw new Refusal(422, "Unprocessable Entity", ["User can only have one pending review per pull request"]);
    const body = bodyAsked(asked) ?? "";
    if (body === "" && state !== "APPROVED" && state !== "PENDING")
      throw invalid("PullRequestReview", "body", "missing_field");
    const commitId = text(asked.body, "commit_id", "PullRequestReview") ?? issue.pull.headSha;
    if (!(await hasCommit(gitDirectory(played, repository), commitId)))
      throw invalid("PullRequestReview", "commit_id", "invalid");
    const comments = await lineComments(asked, issue, commitId);
    const review = { id: newId(played), author, body, state, commitId, submittedAt: now(), comments };
    issue.pull.reviews.push(review);
    if (state !== "PENDING") reviewHappened({ played, repository, actor }, "submitted", issue, review);
    return { status: 200, body: renderReview(played, repository, issue, review) };
  }),

  repositoryRoute("POST", "/pulls/{pull_number}/reviews/{review_id}/events", REVIEW, (asked) => {
    const { played, repository, actor } = asked;
    const issue = pullOf(asked);
    const review = ownReview(asked, issue);
    const state = stateAsked(asked, issue);
    if (state === null) throw invalid("PullRequestReview", "event", "missing_field");
    if (review.state !== "PENDING")
      throw new Refusal(422, "Unprocessable Entity", ["Can not submit a review that was submitted"]);
    const body = bodyAsked(asked) ?? review.body;
    if (body === "" && state !== "APPROVED") throw invalid("PullRequestReview", "body", "missing_field");
    Object.assign(review, { state, body, submittedAt: now() });
    reviewHappened({ played, repository, actor }, "submitted", issue, review);
    return { status: 200, body: renderReview(played, repository, issue, review) };
  }),

  repositoryRoute("DELETE", "/pulls/{pull_number}/reviews/{review_id}", REVIEW, (asked) => {
    const { played, repository } = asked;
    const issue = pullOf(asked);
    const review = ownReview(asked, issue);
    if (review.state !== "PENDING")
      throw new Refusal(422, "Unprocessable Entity", ["Can not delete a non-pending pull request review"]);
    issue.pull.reviews = issue.pull.reviews.filter((other) => other !== review);
    return { status: 200, body: renderReview(played, repository, issue, review) };
  }),

  repositoryRoute("PUT", "/pulls/{pull_number}/reviews/{review_id}/dismissals", DISMISS, (asked) => {
    const { played, repository, actor } = asked;
    const issue = pullOf(asked);
    requiredText(asked.body, "message", "PullRequestReview");
    const review = submittedReviews(issue.pull).find((candidate) => String(candidate.id) === asked.params["review_id"]);
    if (!review || !isAtLeast(asked, "write")) throw notFound();
    review.state = "DISMISSED";
    reviewHappened({ played, repository, actor }, "dismissed", issue, review);
    return { status: 200, body: renderReview(played, repository, issue, review) };
  }),
];
