/** Our review of one commit, known by its marker, our account and the commit: found before made. */
import { RequestRefused } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Forge, ReviewInput } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { inTurn, makeOrFind } from "./once.ts";
import { fitBody, withMarker } from "./text.ts";

type ReviewRef = { id: number; url: string };

export function createReviews(client: Client, viewer: Forge["viewer"]): Pick<Forge, "putReview"> {
  const find = async (
    repository: RepositoryName,
    number: number,
    { marker, commitId }: ReviewInput,
  ): Promise<ReviewRef | null> => {
    const us = await viewer(repository);
    const reviews = await client.all(repository, `read the reviews of ${repository}#${number}`, (api, at) =>
      api.pulls.listReviews({ ...at, pull_number: number }),
    );
    const ours = reviews.find(
      (review) => review.user?.id === us.id && review.commit_id === commitId && review.body.includes(marker),
    );
    return ours ? { id: ours.id, url: ours.html_url } : null;
  };

  const make = async (
    repository: RepositoryName,
    number: number,
    { marker, commitId, body }: ReviewInput,
    comments: ReviewInput["comments"],
  ): Promise<ReviewRef> => {
    const made = await client.ask(repository, `review ${repository}#${number}`, (api, at) =>
      api.pulls.createReview({
        ...at,
        pull_number: number,
        commit_id: commitId,
        event: "COMMENT",
        body: withMarker(body, marker),
        comments: comments.map(({ path, line, body: text }) => ({ path, line, side: "RIGHT", body: fitBody(text) })),
      }),
    );
    return { id: made.id, url: made.html_url };
  };

  return {
    putReview(repository, number, review) {
      return inTurn(`${repository.toLowerCase()}#${number} ${review.marker}`, async () => {
        const found = await find(repository, number, review);
        if (found) return found;
        const look = (): Promise<ReviewRef | null> => find(repository, number, review);
        try {
          return await makeOrFind(() => make(repository, number, review, review.comments), look);
        } catch (error) {
          if (!(error instanceof RequestRefused) || error.status !== 422 || review.comments.length === 0) throw error;
          // One line that is not in the diff refuses the whole review: then all of it is said in the body.
          client.log.warn({ repository, number }, "GitHub refuses a review comment on its line: all are in the body");
          return await makeOrFind(() => make(repository, number, allInBody(review), []), look);
        }
      });
    },
  };
}

function allInBody(review: ReviewInput): ReviewInput {
  const lines = review.comments.map(
    ({ path, line, body }) => `- \`${path.replaceAll("`", "")}\` line ${line}: ${body}`,
  );
  return { ...review, body: `${review.body}\n\n${lines.join("\n")}` };
}
