/** Our comments, each known by its hidden marker and our account's id: found before made, edited in place. */
import { NotFound } from "../../../domain/errors.ts";
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
  const find = async (repository: RepositoryName, number: number, marker: string): Promise<CommentRef | null> => {
    const us = await viewer(repository);
    const action = `read the comments of ${repository}#${number}`;
    const comments: GitHubComment[] = await client.all(repository, action, (api, at) =>
      api.issues.listComments({ ...at, issue_number: number }),
    );
    // The oldest: a later one could only be a copy.
    const ours = comments.find((comment) => comment.user?.id === us.id && comment.body?.includes(marker));
    return ours ? toRef(ours) : null;
  };

  const edit = async (repository: RepositoryName, number: number, id: number, body: string): Promise<CommentRef> =>
    toRef(
      await client.ask(repository, `edit our comment on ${repository}#${number}`, (api, at) =>
        api.issues.updateComment({ ...at, comment_id: id, body }),
      ),
    );

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
        const found = await find(repository, number, marker);
        if (found) return sameText(found.body, text) ? found : await edit(repository, number, found.id, text);
        // Somebody deleted the comment that we knew: it stays deleted.
        if (id !== null) return { id, url: "", body: text };
        return await makeOrFind(
          () => make(repository, number, text),
          () => find(repository, number, marker),
        );
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
