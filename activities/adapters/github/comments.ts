/** Our comments, each known by its hidden marker and our account's id: found before made, edited in place. */
import { AccessDenied, NotFound } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { CommentRef, Forge } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { inTurn, makeOrFind } from "./once.ts";
import { withMarker } from "./text.ts";

interface GitHubComment {
  id: number;
  html_url: string;
  body?: string;
  user: { id: number } | null;
}

export function createComments(client: Client, viewer: Forge["viewer"]): Pick<Forge, "findComment" | "putComment"> {
  /** The oldest first: a later one could only be a copy. */
  const findAll = async (repository: RepositoryName, number: number, marker: string): Promise<CommentRef[]> => {
    const us = await viewer(repository);
    const action = `read the comments of ${repository}#${number}`;
    const comments: GitHubComment[] = await client.all(repository, action, (api, at) =>
      api.issues.listComments({ ...at, issue_number: number }),
    );
    return comments
      .filter((comment) => comment.user?.id === us.id && comment.body?.includes(marker))
      .toSorted((a, b) => a.id - b.id)
      .map(toRef);
  };

  const find = async (repository: RepositoryName, number: number, marker: string): Promise<CommentRef | null> =>
    (await findAll(repository, number, marker))[0] ?? null;

  /**
   * Two processes may both look, see nothing, and make it: an attempt that was taken for dead goes on beside its successor. Each
   * looks again after it; all see the same one as the oldest, and the copies go.
   */
  const findOnly = async (repository: RepositoryName, number: number, marker: string): Promise<CommentRef | null> => {
    const [oldest, ...copies] = await findAll(repository, number, marker);
    for (const { id } of copies) await remove(repository, number, id);
    return oldest ?? null;
  };

  const remove = async (repository: RepositoryName, number: number, id: number): Promise<void> => {
    try {
      const action = `delete a copy of our comment on ${repository}#${number}`;
      await client.ask(repository, action, (api, at) => api.issues.deleteComment({ ...at, comment_id: id }));
    } catch (error) {
      // The other one was quicker, or GitHub does not let us: a copy stops no run.
      if (!(error instanceof NotFound || error instanceof AccessDenied)) throw error;
      client.log.warn({ repository, number, id, reason: error.message }, "a copy of our comment was not deleted");
    }
  };

  const edit = async (repository: RepositoryName, number: number, id: number, body: string): Promise<CommentRef> =>
    toRef(
      await client.ask(repository, `edit our comment on ${repository}#${number}`, (api, at) =>
        api.issues.updateComment({ ...at, comment_id: id, body }),
      ),
    );

  const editUnlessSame = async (repository: RepositoryName, number: number, known: CommentRef, text: string) =>
    sameText(known.body, text) ? known : edit(repository, number, known.id, text);

  const make = async (repository: RepositoryName, number: number, body: string): Promise<CommentRef> =>
    toRef(
      await client.ask(repository, `comment on ${repository}#${number}`, (api, at) =>
        api.issues.createComment({ ...at, issue_number: number, body }),
      ),
    );

  return {
    findComment: find,

    putComment(repository, number, { marker, body, id }) {
      const text = withMarker(body, marker);
      const key = `${repository.toLowerCase()}#${number} ${marker}`;
      return inTurn(key, async () => {
        if (id !== null) {
          try {
            return await edit(repository, number, id, text);
          } catch (error) {
            if (!(error instanceof NotFound)) throw error;
          }
        }
        const found = await findOnly(repository, number, marker);
        if (found) return await editUnlessSame(repository, number, found, text);
        // Somebody deleted the comment that we knew: it stays deleted.
        if (id !== null) return { id, url: "", body: text };
        const made = await makeOrFind(
          () => make(repository, number, text),
          () => find(repository, number, marker),
        );
        // GitHub's list may be a moment behind what it has just made.
        const only = (await findOnly(repository, number, marker)) ?? made;
        return only.id === made.id ? made : await editUnlessSame(repository, number, only, text);
      });
    },
  };
}

function toRef(comment: GitHubComment): CommentRef {
  return { id: comment.id, url: comment.html_url, body: comment.body ?? "" };
}

/** GitHub may turn line ends and trim what it stores. */
function sameText(a: string, b: string): boolean {
  const plain = (text: string): string => text.replaceAll("\r\n", "\n").trim();
  return plain(a) === plain(b);
}
