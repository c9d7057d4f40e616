/** The repository itself, its refs, and what a person may do in it. */
import { type Need, roleOf } from "../access.ts";
import { renderCommit } from "../events.ts";
import { branches, branchSha, git } from "../git.ts";
import { settlePush } from "../git-http.ts";
import { forbidden, notFound, Refusal } from "../http.ts";
import { gitDirectory } from "../played.ts";
import { htmlUrl, renderFullRepository, renderUser, repositoryUrl } from "../render.ts";
import { isAtLeast, repositoryRoute, type Route } from "../router.ts";
import { findAccount } from "../world.ts";

const READ: Need = { role: "read", app: "metadata:read" };
const WRITE_CONTENTS: Need = { role: "write", app: "contents:write" };
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

  repositoryRoute("GET", "/branches/{branch}", READ_CONTENTS, async ({ played, repository, params }) => {
    const name = params["branch"] ?? "";
    const directory = gitDirectory(played, repository);
    const sha = await branchSha(directory, name);
    if (sha === null) throw notFound();
    const url = `${repositoryUrl(played, repository)}/branches/${name}`;
    const protection = name === repository.defaultBranch ? repository.protection : null;
    const contexts = protection?.checks ?? [];
    return {
      status: 200,
      body: {
        name,
        commit: await renderCommit(played, repository, sha),
        _links: { html: `${htmlUrl(played, repository)}/tree/${name}`, self: url },
        protected: protection !== null,
        protection: {
          enabled: protection !== null,
          required_status_checks: {
            enforcement_level: protection === null ? "off" : "non_admins",
            contexts,
            checks: contexts.map((context) => ({ context, app_id: null })),
          },
        },
        protection_url: `${url}/protection`,
      },
    };
  }),

  // The protection of this server is the classic one: no ruleset adds to it.
  repositoryRoute("GET", "/rules/branches/{branch}", READ, () => ({ status: 200, body: [] })),

  repositoryRoute("DELETE", "/git/refs/{ref}", WRITE_CONTENTS, async ({ played, repository, params, actor }) => {
    const branch = (params["ref"] ?? "").replace(/^heads\//, "");
    const directory = gitDirectory(played, repository);
    const before = await branches(directory);
    if (!before.has(branch)) throw new Refusal(422, "Reference does not exist");
    await git(directory, ["update-ref", "-d", `refs/heads/${branch}`]);
    await settlePush({ played, repository, actor }, before);
    return { status: 204 };
  }),
];
