/** What happened before: an issue's events, comments of a whole repository, deliveries of an App's webhook. All told from what was kept. */
import { type Need, roleOf } from "../access.ts";
import type { DeliveryRecord } from "../hooks.ts";
import { type Answer, notFound, Refusal } from "../http.ts";
import type { Played } from "../played.ts";
import { renderComment, renderRepository } from "../render.ts";
import { type Asked, issueOf, page, repositoryRoute, type Route, route } from "../router.ts";
import type { App } from "../world.ts";

const READ: Need = { role: "read", app: "issues:read" };

export const pastRoutes: Route[] = [
  repositoryRoute("GET", "/issues/{issue_number}/events", READ, (asked) => {
    const { played, repository } = asked;
    const issue = issueOf(asked);
    const events = played.hooks.list().flatMap((record, index) => {
      if (record.event !== "issues" || !SHOWN.has(record.action ?? "")) return [];
      const payload = JSON.parse(record.payload) as IssuesPayload;
      if (payload.repository.id !== repository.id || payload.issue.number !== issue.number) return [];
      return [renderIssueEvent(played, record, index, payload)];
    });
    return page(asked, `/repos/${repository.owner}/${repository.name}/issues/${issue.number}/events`, events);
  }),

  repositoryRoute("GET", "/issues/comments", READ, (asked) => {
    const { played, repository, query } = asked;
    const since = sinceOf(query);
    const comments = repository.issues
      .flatMap((issue) => issue.comments.map((comment) => ({ issue, comment })))
      .filter(({ comment }) => Date.parse(comment.updatedAt) >= since);
    // Without `sort` GitHub orders by id and leaves `direction` out.
    const by = ({ updated: "updatedAt", created: "createdAt" } as const)[query.get("sort") ?? ""];
    if (by !== undefined) {
      const sign = query.get("direction") === "asc" ? 1 : -1;
      comments.sort((a, b) => sign * a.comment[by].localeCompare(b.comment[by]));
    }
    const rendered = comments.map(({ issue, comment }) => renderComment(played, repository, issue, comment));
    return page(asked, `/repos/${repository.owner}/${repository.name}/issues/comments`, rendered);
  }),

  route("GET", "/user/repos", (asked) => {
    const { played, actor } = asked;
    if (actor.kind === "anonymous") throw new Refusal(401, "Requires authentication");
    if (actor.kind !== "user") throw new Refusal(403, "Resource not accessible by integration");
    const found = played.world.repositories
      // Public repositories of others are not listed: only those in which one has a part.
      .filter(({ owner, permissions }) => owner === actor.login || actor.login in permissions)
      .filter((repository) => roleOf(repository, actor.login) !== "none")
      .sort((a, b) => b.pushedAt.localeCompare(a.pushedAt));
    return page(
      asked,
      "/user/repos",
      found.map((each) => renderRepository(played, each, actor.login)),
    );
  }),

  route("GET", "/app/hook/deliveries", (asked) => {
    const all = attemptsOf(asked).toReversed();
    const size = Math.min(Math.max(Number(asked.query.get("per_page") ?? 30) || 30, 1), 100);
    const cursor = asked.query.get("cursor");
    const from = cursor === null ? 0 : all.findIndex(({ id }) => `v1_${id}` === cursor);
    if (from < 0) throw new Refusal(422, "Invalid cursor");
    const next = all[from + size];
    const link = next && `<${asked.played.base}/app/hook/deliveries?per_page=${size}&cursor=v1_${next.id}>; rel="next"`;
    const body = all.slice(from, from + size).map((attempt) => renderAttempt(attempt));
    return { status: 200, body, ...(link && { headers: { link } }) };
  }),

  route("GET", "/app/hook/deliveries/{delivery_id}", (asked): Answer => {
    const attempt = attemptsOf(asked).find(({ id }) => String(id) === asked.params["delivery_id"]);
    if (!attempt) throw notFound();
    const request = { headers: { "X-GitHub-Event": attempt.record.event }, payload: attempt.payload };
    const response = { headers: {}, payload: null };
    return { status: 200, body: { ...renderAttempt(attempt), url: attempt.record.to, request, response } };
  }),
];

/** `since` of a list, in milliseconds; what is no time is a 422. */
export function sinceOf(query: URLSearchParams): number {
  const text = query.get("since");
  if (text === null) return 0;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Refusal(422, "Validation Failed", [{ field: "since", code: "invalid" }]);
  // GitHub tells times in whole seconds.
  return Math.floor(time / 1000) * 1000;
}

interface IssuesPayload {
  issue: { number: number; created_at: string; updated_at: string };
  repository: { id: number };
  sender: unknown;
  label?: { name: string; color: string };
  assignee?: unknown;
}

const SHOWN = new Set(["labeled", "unlabeled", "assigned", "closed", "reopened"]);

function renderIssueEvent(
  played: Played,
  { action, at }: DeliveryRecord,
  index: number,
  { sender, label, assignee }: IssuesPayload,
): Record<string, unknown> {
  // Deliveries are never taken away, so their place is a number for good.
  const id = 1_000_000 + index;
  return {
    id,
    node_id: `E_${id}`,
    url: `${played.base}/issues/events/${id}`,
    actor: sender,
    event: action,
    commit_id: null,
    commit_url: null,
    created_at: `${at.slice(0, 19)}Z`,
    performed_via_github_app: null,
    ...(label && { label: { name: label.name, color: label.color } }),
    ...(action === "assigned" && { assignee, assigner: sender }),
  };
}

interface Attempt {
  id: number;
  record: DeliveryRecord;
  payload: { installation?: { id: number }; repository?: { id: number } };
  attempt: DeliveryRecord["attempts"][number];
  first: boolean;
}

/** Every attempt at a delivery about an account that installed this App, oldest first. */
function attemptsOf({ played, actor }: Asked): Attempt[] {
  if (actor.kind !== "app") throw new Refusal(401, "A JSON web token could not be decoded");
  const installations = installationsOf(played, actor.app);
  return played.hooks
    .list()
    .flatMap((record, place) =>
      record.attempts.map((attempt, index) => ({
        id: 1_000_000 + place * 100 + index,
        record,
        payload: JSON.parse(record.payload) as Attempt["payload"],
        attempt,
        first: index === 0,
      })),
    )
    .filter(({ payload }) => payload.installation !== undefined && installations.has(payload.installation.id))
    .sort((a, b) => a.attempt.at.localeCompare(b.attempt.at));
}

function installationsOf({ world }: Played, app: App): Set<number> {
  return new Set(world.installations.filter(({ appId }) => appId === app.id).map(({ id }) => id));
}

function renderAttempt({ id, record, payload, attempt, first }: Attempt): Record<string, unknown> {
  const timedOut = attempt.status === null && /abort|time/i.test(attempt.reason ?? "");
  const none = timedOut ? { status_code: 504, status: "timed out" } : { status_code: 502, status: "failed to connect" };
  const answered = { status_code: attempt.status, status: attempt.status === 200 ? "OK" : String(attempt.status) };
  return {
    id,
    guid: record.guid,
    delivered_at: attempt.at,
    redelivery: !first,
    duration: attempt.durationMs / 1000,
    ...(attempt.status === null ? none : answered),
    event: record.event,
    action: record.action,
    installation_id: payload.installation?.id ?? null,
    repository_id: payload.repository?.id ?? null,
    throttled_at: null,
  };
}
