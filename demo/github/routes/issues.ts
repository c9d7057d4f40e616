/** Issues: opening, reading, editing, assigning, reacting. */
import { type Need, roleOf } from "../access.ts";
import { closeIssue } from "../closing.ts";
import { issueHappened } from "../events.ts";
import { type Answer, checkLength, forbidden, invalid, requiredText, text, texts } from "../http.ts";
import { newId, now } from "../played.ts";
import { renderIssue, renderLabel, renderReaction, renderUser } from "../render.ts";
import { type AskedOf, isAtLeast, issueOf, login, page, repositoryRoute, type Route } from "../router.ts";
import { findAccount, type Issue, type Reaction } from "../world.ts";
import { ensureLabel } from "./labels.ts";
import { sinceOf } from "./past.ts";

const READ: Need = { role: "read", app: "issues:read" };
/** Everybody who may read may also open issues and comment. */
const TALK: Need = { role: "read", app: "issues:write" };
const TRIAGE: Need = { role: "triage", app: "issues:write" };

export const issueRoutes: Route[] = [
  repositoryRoute("GET", "/issues", READ, (asked) => {
    const { played, repository, query } = asked;
    const state = query.get("state") ?? "open";
    const labels = (query.get("labels") ?? "").split(",").filter(Boolean);
    const since = sinceOf(query);
    const found = repository.issues
      .filter((issue) => !issue.deleted && (state === "all" || issue.state === state))
      .filter((issue) => labels.every((label) => issue.labels.includes(label)))
      .filter((issue) => Date.parse(issue.updatedAt) >= since)
      .sort((a, b) => b.number - a.number);
    if (query.get("sort") === "updated") found.sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
    if (query.get("direction") === "asc") found.reverse();
    const path = `/repos/${repository.owner}/${repository.name}/issues`;
    return page(
      asked,
      path,
      found.map((issue) => renderIssue(played, repository, issue)),
    );
  }),

  repositoryRoute("POST", "/issues", TALK, async (asked) => {
    const { played, repository, body, actor } = asked;
    const title = requiredText(body, "title", "Issue");
    const issue = newIssue(asked, title, checkLength(text(body, "body", "Issue"), "Issue"));
    // GitHub drops labels and assignees of those who may not set them, without a word.
    if (isAtLeast(asked, "triage")) {
      const wanted = body["labels"] === undefined ? [] : texts(body["labels"], "labels", "Issue");
      issue.labels = wanted.map((name) => ensureLabel(asked, name).name);
    }
    repository.issues.push(issue);
    const happening = { played, repository, actor };
    await issueHappened(happening, "opened", issue);
    for (const name of issue.labels)
      await issueHappened(happening, "labeled", issue, {
        label: renderLabel(played, repository, ensureLabel(asked, name)),
      });
    return { status: 201, body: renderIssue(played, repository, issue) };
  }),

  repositoryRoute("GET", "/issues/{issue_number}", READ, (asked) => ({
    status: 200,
    body: renderIssue(asked.played, asked.repository, issueOf(asked)),
  })),

  repositoryRoute("PATCH", "/issues/{issue_number}", TALK, async (asked) => {
    const { played, repository, body, actor } = asked;
    const issue = issueOf(asked);
    if (issue.author !== actor.login && !isAtLeast(asked, "triage"))
      throw forbidden("Must have admin rights to Repository.");
    await editIssue(asked, issue);
    const state = text(body, "state", "Issue");
    if (state !== null && state !== "open" && state !== "closed") throw invalid("Issue", "state", "invalid");
    const happening = { played, repository, actor };
    if (state === "closed" && issue.state === "open") {
      await closeIssue(happening, issue, text(body, "state_reason", "Issue") ?? "completed");
    }
    if (state === "open" && issue.state === "closed") {
      Object.assign(issue, {
        state: "open",
        stateReason: "reopened",
        closedAt: null,
        closedBy: null,
        updatedAt: now(),
      });
      await issueHappened(happening, "reopened", issue);
    }
    return { status: 200, body: renderIssue(played, repository, issue) };
  }),

  repositoryRoute("POST", "/issues/{issue_number}/assignees", TRIAGE, async (asked) => {
    const { played, repository, body, actor } = asked;
    const issue = issueOf(asked);
    for (const name of texts(body["assignees"] ?? [], "assignees", "Issue")) {
      const account = findAccount(played.world, name);
      // Whom it cannot assign, GitHub leaves out without a word.
      const may =
        account?.type === "User" &&
        ["admin", "maintain", "write", "triage"].includes(roleOf(repository, account.login));
      if (!account || !may || issue.assignees.includes(account.login)) continue;
      issue.assignees.push(account.login);
      issue.updatedAt = now();
      await issueHappened({ played, repository, actor }, "assigned", issue, {
        assignee: renderUser(played, account.login),
      });
    }
    return { status: 201, body: renderIssue(played, repository, issue) };
  }),

  repositoryRoute("POST", "/issues/{issue_number}/reactions", TALK, (asked) => react(asked, issueOf(asked).reactions)),

  repositoryRoute("POST", "/issues/comments/{comment_id}/reactions", TALK, (asked) => {
    const comments = asked.repository.issues.flatMap((issue) => issue.comments);
    const comment = comments.find((candidate) => String(candidate.id) === asked.params["comment_id"]);
    if (!comment) throw invalid("Reaction", "comment_id", "missing");
    return react(asked, comment.reactions);
  }),
];

export function newIssue(asked: AskedOf, title: string, body: string | null): Issue {
  if (Array.from(title).length > 256) {
    throw invalid("Issue", "title", "custom", "title is too long (maximum is 256 characters)");
  }
  return {
    id: newId(asked.played),
    number: asked.repository.nextNumber++,
    title,
    body,
    author: login(asked),
    labels: [],
    assignees: [],
    state: "open",
    stateReason: null,
    closedBy: null,
    locked: false,
    deleted: false,
    createdAt: now(),
    updatedAt: now(),
    closedAt: null,
    comments: [],
    reactions: [],
    pull: null,
  };
}

/** Title and body; the event tells what they were before. */
export async function editIssue({ played, repository, body, actor }: AskedOf, issue: Issue): Promise<void> {
  const changes: Record<string, { from: string }> = {};
  const title = text(body, "title", "Issue");
  if (title !== null && title !== issue.title) {
    if (title.trim() === "") throw invalid("Issue", "title", "missing_field");
    changes["title"] = { from: issue.title };
    issue.title = title;
  }
  const written = checkLength(text(body, "body", "Issue"), "Issue");
  if (body["body"] !== undefined && written !== issue.body) {
    changes["body"] = { from: issue.body ?? "" };
    issue.body = written;
  }
  if (Object.keys(changes).length === 0) return;
  issue.updatedAt = now();
  await issueHappened({ played, repository, actor }, "edited", issue, { changes });
}

const CONTENTS = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

function react(asked: AskedOf, reactions: Reaction[]): Answer {
  const content = requiredText(asked.body, "content", "Reaction");
  if (!CONTENTS.includes(content)) throw invalid("Reaction", "content", "invalid");
  const who = login(asked);
  const known = reactions.find((reaction) => reaction.login === who && reaction.content === content);
  if (known) return { status: 200, body: renderReaction(asked.played, known) };
  const made = { id: newId(asked.played), login: who, content, createdAt: now() };
  reactions.push(made);
  return { status: 201, body: renderReaction(asked.played, made) };
}
