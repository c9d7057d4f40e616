/** Who we are, what the repository is, and what a person may do in it. */
import { AccessDenied, NotFound } from "../../../domain/errors.ts";
import { isLogin, type RepositoryName } from "../../../domain/ids.ts";
import type { Forge, Viewer } from "../../../domain/ports.ts";
import type { Permission } from "../../../domain/run.ts";
import type { Client } from "./client.ts";

export function createAccounts(client: Client): Pick<Forge, "viewer" | "repository" | "permission" | "gitToken"> {
  let known: Promise<Viewer> | null = null;

  return {
    viewer(repository) {
      const found =
        known ?? (client.credentials.kind === "app" ? appViewer(client, repository) : tokenViewer(client, repository));
      known = found;
      // A failure is not who we are: the next one asks again.
      found.catch(() => (known = null));
      return found;
    },

    async repository(repository) {
      const facts = await client.ask(repository, `read the repository ${repository}`, (api, at) => api.repos.get(at));
      return {
        fullName: facts.full_name,
        cloneUrl: facts.clone_url,
        defaultBranch: facts.default_branch,
        private: facts.private,
      };
    },

    async permission(repository, login) {
      if (!isLogin(login)) return "none";
      const action = `read the permission of ${login} on ${repository}`;
      try {
        const facts = await client.ask(repository, action, (api, at) =>
          api.repos.getCollaboratorPermissionLevel({ ...at, username: login }),
        );
        return toPermission(facts.permission, facts.role_name);
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        // Nobody of that name, unless it is the repository that we cannot see.
        await client.ask(repository, `read the repository ${repository}`, (api, at) => api.repos.get(at));
        return "none";
      }
    },

    gitToken: (repository) => client.token(repository),
  };
}

/** `permission` knows four words and calls maintainers writers; `role_name` has the rest, and custom names beside. */
export function toPermission(permission: string, roleName: string): Permission {
  for (const word of [roleName, permission]) {
    switch (word) {
      case "admin":
      case "maintain":
      case "write":
      case "triage":
      case "read":
      case "none":
        return word;
    }
  }
  return "none";
}

async function tokenViewer(client: Client, repository: RepositoryName): Promise<Viewer> {
  try {
    const user = await client.ask(repository, "read who the token belongs to", (api) => api.users.getAuthenticated());
    return { login: user.login, id: user.id, kind: "user" };
  } catch (error) {
    // The token of a GitHub Actions job may not read /user, yet GraphQL tells whose it is.
    if (!(error instanceof AccessDenied) || !/by integration/i.test(error.message)) throw error;
    const query = "query { viewer { login databaseId } }";
    const data = await client.graphql(repository, "read who the token belongs to", query, {});
    const { login, databaseId } = (data as { viewer: { login: string; databaseId: number } }).viewer;
    return { login, id: databaseId, kind: login.endsWith("[bot]") ? "app" : "user" };
  }
}

async function appViewer(client: Client, repository: RepositoryName): Promise<Viewer> {
  const app = await client.askAsApp("read the App's own account", (api) => api.apps.getAuthenticated());
  if (!app?.slug) throw new AccessDenied("GitHub", "GitHub did not tell the name of the App. Is GITHUB_APP_ID right?");
  const login = `${app.slug}[bot]`;
  const bot = await client.ask(repository, `read the account ${login}`, (api) =>
    api.users.getByUsername({ username: login }),
  );
  return { login: bot.login, id: bot.id, kind: "app" };
}
