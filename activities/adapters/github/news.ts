/** What happened on GitHub, asked for instead of being told: changes of issues, comments, reviews, and an App's deliveries. */
import { AccessDenied } from "../../../domain/errors.ts";
import type { Actor } from "../../../domain/events.ts";
import type { ChangedIssue, DeliveryAttempt, ForgeNews, IssueTrigger } from "../../../domain/news.ts";
import type { Client } from "./client.ts";
import { toIssue } from "./issue.ts";

/** 100,000 deliveries: a large App's three days. Each page is a request, of which an App has 5,000 an hour. */
const MAX_DELIVERY_PAGES = 1000;

export function createNews(client: Client): ForgeNews {
  return {
    async writableRepositories(account, limit) {
      const found: string[] = [];
      for (let page = 1; found.length < limit; page++) {
        const repositories = await client.ask(account, "list the repositories of our account", (api) =>
          api.repos.listForAuthenticatedUser({ sort: "pushed", direction: "desc", per_page: 100, page }),
        );
        const fitting = repositories.filter((each) => each.permissions?.push && !each.archived && each.has_issues);
        found.push(...fitting.map((each) => each.full_name));
        if (repositories.length < 100) break;
      }
      return found.slice(0, limit);
    },

    async changedIssues(repository, since) {
      // Newest first: what changes while the pages are read moves to the first, and so takes none of the others with it over an end.
      const listed = await client.all(repository, `list what changed in ${repository}`, (api, at) =>
        api.issues.listForRepo({ ...at, state: "all", since, sort: "updated", direction: "desc" }),
      );
      return eachOnce(listed)
        .toReversed()
        .map((issue): ChangedIssue => ({
          ...toIssue(issue),
          id: issue.id,
          repository,
          updatedAt: time(issue.updated_at),
          open: issue.state !== "closed",
          openedBy: toActor(issue.user),
          createdAt: time(issue.created_at),
          assignees: (issue.assignees ?? []).map(({ login }) => login),
        }));
    },

    async issueTriggers(repository, number) {
      const events = await client.all(repository, `read the events of ${repository}#${number}`, (api, at) =>
        api.issues.listEvents({ ...at, issue_number: number }),
      );
      // The kinds have little in common in GitHub's description; all have these.
      return (events as PastEvent[]).flatMap(
        ({ id, event, created_at, actor, assigner, label, assignee }): IssueTrigger[] => {
          const at = time(created_at);
          if (event === "labeled" && label)
            return [{ id, by: toActor(actor), at, what: { kind: event, label: label.name } }];
          const assigned = event === "assigned" ? toActor(assignee) : null;
          // The actor of an old assignment is who was assigned.
          return assigned
            ? [{ id, by: toActor(assigner ?? actor), at, what: { kind: "assigned", assignee: assigned } }]
            : [];
        },
      );
    },

    async newComments(repository, since, number) {
      const comments = await client.all(repository, `list the new comments of ${repository}`, (api, at) =>
        number === null
          ? // By their making: one that is edited while the pages are read stays where it is.
            api.issues.listCommentsForRepo({ ...at, since, sort: "created", direction: "asc" })
          : api.issues.listComments({ ...at, issue_number: number, since }),
      );
      // An edited comment is never a command: who edited it need not be who wrote it.
      return eachOnce(comments)
        .filter(
          (comment) => comment.created_at === comment.updated_at && Date.parse(comment.created_at) >= Date.parse(since),
        )
        .map((comment) => ({
          id: comment.id,
          number: Number(/\/(\d+)$/.exec(comment.issue_url)?.[1]),
          by: toActor(comment.user),
          body: comment.body ?? "",
          at: time(comment.created_at),
        }));
    },

    async reviews(repository, pullRequest) {
      const reviews = await client.all(repository, `read the reviews of ${repository}#${pullRequest}`, (api, at) =>
        api.pulls.listReviews({ ...at, pull_number: pullRequest }),
      );
      return reviews
        .filter((review) => review.submitted_at !== undefined)
        .map((review) => ({
          state: review.state.toLowerCase(),
          by: toActor(review.user),
          sha: review.commit_id?.toLowerCase() ?? null,
          text: review.body,
          at: time(review.submitted_at!),
        }));
    },

    async deliveryAttempts(_account, since) {
      if (client.credentials.kind !== "app")
        throw new AccessDenied("GitHub", "GitHub lists deliveries for Apps only, and we have a token.");
      const attempts: DeliveryAttempt[] = [];
      let cursor: string | undefined;
      for (let page = 1; page <= MAX_DELIVERY_PAGES; page++) {
        const { items, next } = await client.askAsApp("list the deliveries of the App's webhook", async (api) => {
          const answer = await api.apps.listWebhookDeliveries({
            per_page: 100,
            ...(cursor === undefined ? {} : { cursor }),
          });
          return { data: { items: answer.data, next: nextCursor(answer.headers.link) } };
        });
        for (const item of items) {
          if (Date.parse(item.delivered_at) < Date.parse(since)) return attempts;
          const { id, guid, event, action, delivered_at, status_code } = item;
          attempts.push({ id, guid, event, action, at: time(delivered_at), status: status_code });
        }
        if (next === undefined) return attempts;
        cursor = next;
      }
      client.log.warn(
        { attempts: attempts.length, since },
        "GitHub lists more deliveries than are read at once: the oldest were not looked at",
      );
      return attempts;
    },

    async deliveryPayload(_account, id) {
      const delivery = await client.askAsApp("read a delivery of the App's webhook", (api) =>
        api.apps.getWebhookDelivery({ delivery_id: id }),
      );
      return delivery.request.payload;
    },
  };
}

interface PastEvent {
  id: number;
  event: string;
  created_at: string;
  actor: Account | null;
  assigner?: Account | null;
  label?: { name: string };
  assignee?: Account | null;
}

interface Account {
  login: string;
  id: number;
  type?: string;
}

function toActor(account: Account | null | undefined): Actor | null {
  if (!account) return null;
  const { login, id, type } = account;
  return { login, id, isBot: type === "Bot" || login.toLowerCase().endsWith("[bot]") };
}

/** As webhooks are read: UTC with milliseconds, so that one moment is one text. */
function time(text: string): string {
  return new Date(text).toISOString();
}

function nextCursor(link: string | undefined): string | undefined {
  const url = /<([^>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
  return (url && new URL(url).searchParams.get("cursor")) || undefined;
}

/** What moved to another page while the pages were read is listed twice. */
function eachOnce<T extends { id: number }>(listed: readonly T[]): T[] {
  return [...new Map(listed.map((each) => [each.id, each])).values()];
}
