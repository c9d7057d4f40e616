/**
 * Our review of one commit, known by its marker, our account and the commit. It is a draft at first: GitHub lets an account have
 * one draft on a pull request, so that of two attempts at one time only one can submit.
 */
import { NotFound, RequestRefused } from "../../../domain/errors.ts";
import { MARKER_PREFIX, type RepositoryName } from "../../../domain/ids.ts";
import type { Forge, ReviewInput } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { inTurn, makeOrFind } from "./once.ts";
import { fitBody, withMarker } from "./text.ts";

type ReviewRef = { id: number; url: string };

interface Seen {
  submitted: ReviewRef | null;
  draft: ReviewRef | null;
  /** A draft of our account that is not this review: of an earlier one whose worker died, or a person's under the same account. */
  other: { id: number; isOurs: boolean } | null;
}

export function createReviews(client: Client, viewer: Forge["viewer"]): Pick<Forge, "putReview"> {
  return {
    putReview(repository, number, review) {
      return inTurn(`${repository.toLowerCase()}#${number} ${review.marker}`, () =>
        put(atPullRequest(client, viewer, repository, number), review),
      );
    },
  };
}

async function put(at: AtPullRequest, review: ReviewInput): Promise<ReviewRef> {
  const before = await at.look(review);
  if (before.submitted) return before.submitted;
  if (before.draft) return await submit(at, review, before.draft);
  if (before.other?.isOurs) await at.discard(before.other.id);
  const draft = await makeDraft(at, review);
  // Another attempt may have submitted its own before ours was made.
  const { submitted } = await at.look(review);
  if (submitted === null) return await submit(at, review, draft);
  if (submitted.id !== draft.id) await at.discard(draft.id);
  return submitted;
}

/** A draft of this review: of another attempt, perhaps, which may even have submitted it. */
function makeDraft(at: AtPullRequest, review: ReviewInput): Promise<ReviewRef> {
  return create(at, review, null, ({ draft, submitted }) => draft ?? submitted);
}

async function submit(at: AtPullRequest, review: ReviewInput, draft: ReviewRef): Promise<ReviewRef> {
  const look = async (): Promise<ReviewRef | null> => (await at.look(review)).submitted;
  try {
    return await makeOrFind(() => at.submit(draft.id), look);
  } catch (error) {
    if (!(error instanceof RequestRefused || error instanceof NotFound)) throw error;
    // Another attempt submitted it, or submitted its own and removed this one.
    const found = await look();
    if (found) return found;
    at.warn("GitHub does not let a draft of our review be submitted: the review is made at once");
    await at.discard(draft.id);
    return await create(at, review, "COMMENT", ({ submitted }) => submitted);
  }
}

/** In the form that GitHub takes. `choose`: which review of another attempt will do instead. */
async function create(
  at: AtPullRequest,
  review: ReviewInput,
  event: "COMMENT" | null,
  choose: (seen: Seen) => ReviewRef | null,
): Promise<ReviewRef> {
  const look = async (): Promise<ReviewRef | null> => choose(await at.look(review));
  try {
    return await makeOrFind(() => at.create(review, event), look);
  } catch (error) {
    if (!isRefused(error)) throw error;
    const seen = await at.look(review);
    const found = choose(seen);
    if (found) return found;
    if (seen.other) throw new RequestRefused("GitHub", error.status, standsInTheWay(at.name), { cause: error });
    if (review.comments.length === 0) throw error;
    // One line that is not in the diff refuses the whole review: then all of it is said in the body.
    at.warn("GitHub refuses a review comment on its line: all are in the body");
    return await makeOrFind(() => at.create(allInBody(review), event), look);
  }
}

function isRefused(error: unknown): error is RequestRefused {
  return error instanceof RequestRefused && error.status === 422;
}

function standsInTheWay(pullRequest: string): string {
  return (
    `Our review of ${pullRequest} could not be written: the same account has begun one there that is not submitted, and GitHub ` +
    "allows one at a time. Submit or discard it, or give Mergewright an account of its own."
  );
}

type AtPullRequest = ReturnType<typeof atPullRequest>;

function atPullRequest(client: Client, viewer: Forge["viewer"], repository: RepositoryName, number: number) {
  const name = `${repository}#${number}`;
  return {
    name,
    warn: (text: string): void => client.log.warn({ repository, number }, text),

    async look({ marker, commitId }: ReviewInput): Promise<Seen> {
      const us = await viewer(repository);
      const all = await client.all(repository, `read the reviews of ${name}`, (api, at) =>
        api.pulls.listReviews({ ...at, pull_number: number }),
      );
      const ours = all.filter(({ user }) => user?.id === us.id);
      const isThis = (review: (typeof ours)[number]): boolean =>
        review.commit_id === commitId && review.body.includes(marker);
      const submitted = ours.find((review) => review.state !== DRAFT && isThis(review));
      const draft = ours.find(({ state }) => state === DRAFT);
      const isDraftOfThis = draft !== undefined && isThis(draft);
      return {
        submitted: submitted ? toRef(submitted) : null,
        draft: isDraftOfThis ? toRef(draft) : null,
        other: draft && !isDraftOfThis ? { id: draft.id, isOurs: draft.body.includes(MARKER_PREFIX) } : null,
      };
    },

    /** Without an event a draft. */
    async create({ marker, commitId, body, comments }: ReviewInput, event: "COMMENT" | null): Promise<ReviewRef> {
      const made = await client.ask(repository, `review ${name}`, (api, at) =>
        api.pulls.createReview({
          ...at,
          pull_number: number,
          commit_id: commitId,
          ...(event && { event }),
          body: withMarker(body, marker),
          comments: comments.map(({ path, line, body: text }) => ({ path, line, side: "RIGHT", body: fitBody(text) })),
        }),
      );
      return toRef(made);
    },

    async submit(id: number): Promise<ReviewRef> {
      const submitted = await client.ask(repository, `submit our review of ${name}`, (api, at) =>
        api.pulls.submitReview({ ...at, pull_number: number, review_id: id, event: "COMMENT" }),
      );
      return toRef(submitted);
    },

    async discard(id: number): Promise<void> {
      try {
        await client.ask(repository, `discard a draft of our review of ${name}`, (api, at) =>
          api.pulls.deletePendingReview({ ...at, pull_number: number, review_id: id }),
        );
      } catch (error) {
        // Another attempt did it, or nobody may any more: a draft that stays is seen by nobody else.
        if (!isRefused(error) && !(error instanceof NotFound)) throw error;
        client.log.warn({ repository, number, id, reason: error.message }, "a draft of our review was not discarded");
      }
    },
  };
}

const DRAFT = "PENDING";

function toRef({ id, html_url: url }: { id: number; html_url: string }): ReviewRef {
  return { id, url };
}

function allInBody(review: ReviewInput): ReviewInput {
  const lines = review.comments.map(
    ({ path, line, body }) => `- \`${path.replaceAll("`", "")}\` line ${line}: ${body}`,
  );
  return { ...review, body: `${review.body}\n\n${lines.join("\n")}`, comments: [] };
}
