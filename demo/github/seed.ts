/** What a played GitHub begins with. Seeding again what is there already changes nothing. */
import type { Permission } from "../../domain/run.ts";
import { commitFiles, createBare, importFolder, setRef } from "./git.ts";
import { newId, now, type Played } from "./played.ts";
import {
  type Account,
  findAccount,
  findRepository,
  type MergeMethod,
  type Protection,
  type Repository,
} from "./world.ts";

export interface AccountSeed {
  login: string;
  type?: Account["type"];
  /** Default `played-LOGIN` for users, none for others. */
  token?: string | null;
}

export interface RepositorySeed {
  /** `owner/name`; the owner's account is made when there is none. */
  name: string;
  private?: boolean;
  defaultBranch?: string;
  /** Content of the first commit: a folder of this machine, or files by path. */
  folder?: string;
  files?: Record<string, string>;
  /** Message, author and date (ISO 8601) of the first commit. */
  commit?: { message?: string; login?: string; date?: string };
  permissions?: Record<string, Permission>;
  draftsAllowed?: boolean;
  mergeMethods?: MergeMethod[];
  protection?: Protection | null;
  labels?: string[];
}

export interface AppSeed {
  id?: number;
  slug: string;
  /** PEM of the public key. */
  publicKey: string;
  /** Default: what Mergewright asks for. */
  permissions?: Record<string, string>;
  events?: string[];
  /** Accounts that installed it. */
  installedOn: string[];
}

export function seedAccount(played: Played, seed: AccountSeed): Account {
  const known = findAccount(played.world, seed.login);
  if (known) return known;
  const type = seed.type ?? "User";
  const token = seed.token === undefined && type === "User" ? `played-${seed.login}` : (seed.token ?? null);
  const account: Account = { id: newId(played), login: seed.login, type, token };
  played.world.accounts.push(account);
  return account;
}

export async function seedRepository(played: Played, seed: RepositorySeed): Promise<Repository> {
  const known = findRepository(played.world, seed.name);
  if (known) return known;
  const [owner, name] = seed.name.split("/");
  if (!owner || !name) throw new Error(`"${seed.name}" is not a repository name: write OWNER/NAME.`);
  for (const login of [owner, ...Object.keys(seed.permissions ?? {})]) seedAccount(played, { login });
  const repository: Repository = {
    id: newId(played),
    owner,
    name,
    formerNames: [],
    private: seed.private ?? false,
    archived: false,
    defaultBranch: seed.defaultBranch ?? "main",
    createdAt: now(),
    pushedAt: now(),
    permissions: seed.permissions ?? {},
    draftsAllowed: seed.draftsAllowed ?? true,
    mergeMethods: seed.mergeMethods ?? ["merge", "squash", "rebase"],
    protection: seed.protection ?? null,
    labels: (seed.labels ?? ["bug", "enhancement"]).map((label) => ({
      id: newId(played),
      name: label,
      color: "d73a4a",
      description: null,
    })),
    nextNumber: 1,
    issues: [],
    statuses: [],
    checkRuns: [],
  };
  const directory = played.store.gitDirectory(repository.id);
  await createBare(directory, repository.defaultBranch);
  await setRef(directory, `refs/heads/${repository.defaultBranch}`, await firstCommit(directory, owner, seed));
  played.world.repositories.push(repository);
  return repository;
}

async function firstCommit(directory: string, owner: string, seed: RepositorySeed): Promise<string> {
  const login = seed.commit?.login ?? owner;
  const commit = {
    message: seed.commit?.message ?? "First commit",
    author: { name: login, email: `${login}@users.noreply.example` },
    ...(seed.commit?.date !== undefined && { date: seed.commit.date }),
  };
  if (seed.folder !== undefined) return await importFolder(directory, seed.folder, commit);
  return await commitFiles(directory, null, { files: seed.files ?? { "README.md": `# ${seed.name}\n` }, ...commit });
}

const PERMISSIONS = {
  metadata: "read",
  contents: "write",
  issues: "write",
  pull_requests: "write",
  checks: "write",
  statuses: "write",
};
const EVENTS = [
  "issues",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "check_run",
  "check_suite",
  "status",
  "push",
];

export function seedApp(played: Played, seed: AppSeed): { id: number; installations: number[] } {
  const { world } = played;
  const known = world.apps.find((app) => app.slug === seed.slug);
  const app = known ?? {
    id: seed.id ?? newId(played),
    slug: seed.slug,
    publicKey: seed.publicKey,
    permissions: seed.permissions ?? PERMISSIONS,
    events: seed.events ?? EVENTS,
  };
  if (!known) world.apps.push(app);
  seedAccount(played, { login: `${seed.slug}[bot]`, type: "Bot" });
  for (const owner of seed.installedOn) {
    if (world.installations.some((one) => one.appId === app.id && one.owner === owner)) continue;
    world.installations.push({ id: newId(played), appId: app.id, owner, suspendedAt: null });
  }
  return { id: app.id, installations: world.installations.filter((one) => one.appId === app.id).map((one) => one.id) };
}
