/** Reviews: what people say about one commit of a pull request. */
import { type Need } from "../access.ts";
import { reviewHappened } from "../events.ts";
import { hasCommit } from "../git.ts";
import { checkLength, invalid, notFound, Refusal, requiredText, text } from "../http.ts";
import { gitDirectory, newId, now } from "../played.ts";
import { renderReview } from "../render-pull.ts";
import { isAtLeast, login, page, repositoryRoute, type Route } from "../router.ts";
import type { Review } from "../world.ts";
import { pullOf } from "./pulls.ts";

const READ: Need = { role: "read", app: "pull_requests:read" };
const REVIEW: Need = { role: "read", app: "pull_requests:write" };
const DISMISS: Need = { role: "write", app: "pull_requests:write" };

const STATES: Readonly<Record<string, Review["state"]>> = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
};

export const reviewRoutes: Route[] = [
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
    const review = { id: newId(played), author, body, state, commitId, submittedAt: now() };
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
