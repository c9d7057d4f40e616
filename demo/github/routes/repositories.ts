/** The repository itself, its refs, and what a person may do in it. */
import { type Need, roleOf } from "../access.ts";
import { branchSha } from "../git.ts";
import { forbidden, notFound } from "../http.ts";
import { gitDirectory } from "../played.ts";
import { renderFullRepository, renderUser, repositoryUrl } from "../render.ts";
import { isAtLeast, repositoryRoute, type Route } from "../router.ts";
import { findAccount } from "../world.ts";

const READ: Need = { role: "read", app: "metadata:read" };
const READ_CONTENTS: Need = { role: "read", app: "contents:read" };

export const repositoryRoutes: Route[] = [
  repositoryRoute("GET", "", READ, ({ played, repository, actor }) => ({
    status: 200,
    body: renderFullRepository(played, repository, actor.login),
  })),

  repositoryRoute("GET", "/collaborators/{username}/permission", READ, (asked) => {
    const { played, repository, params } = asked;
    if (!isAtLeast(asked, "write")) throw forbidden("Must have push access to view collaborator permission.");
    const account = findAccount(played.world, params["username"] ?? "");
    if (!account) throw notFound();
    const role = roleOf(repository, account.login);
    // The older field knows four words only.
    const permission = { maintain: "write", triage: "read" }[role as string] ?? role;
    return {
      status: 200,
      body: { permission, role_name: role, user: { ...renderUser(played, account.login), role_name: role } },
    };
  }),

  repositoryRoute("GET", "/git/ref/{ref}", READ_CONTENTS, async ({ played, repository, params }) => {
    const ref = params["ref"] ?? "";
    const sha = ref.startsWith("heads/")
      ? await branchSha(gitDirectory(played, repository), ref.slice("heads/".length))
      : null;
    if (sha === null) throw notFound();
    const url = repositoryUrl(played, repository);
    return {
      status: 200,
      body: {
        ref: `refs/${ref}`,
        node_id: `REF_${repository.id}_${ref}`,
        url: `${url}/git/refs/${ref}`,
        object: { sha, type: "commit", url: `${url}/git/commits/${sha}` },
      },
    };
  }),
];
