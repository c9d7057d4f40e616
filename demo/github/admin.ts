/**
 * What no REST API offers: making accounts and repositories, pushing as a person, ordering faults, reading what
 * happened. Under `/_played/`, for whoever reaches this server: it listens on loopback.
 */
import type { Permission } from "../../domain/run.ts";
import { authenticateAs } from "./as.ts";
import { checkRunHappened, issueHappened } from "./events.ts";
import { type FaultOrder, type Faults } from "./faults.ts";
import { branches, branchSha, commitFiles, setRef } from "./git.ts";
import { settlePush } from "./git-http.ts";
import { type Answer, type Fields, notFound, Refusal } from "./http.ts";
import type { Ledger } from "./ledger.ts";
import { gitAuthor, gitDirectory, newId, now, type Played } from "./played.ts";
import { leaveQueue } from "./merge-queue.ts";
import { isPull, renderCheckRun } from "./render-pull.ts";
import { apply, newCheckRun } from "./routes/checks.ts";
import { type AccountSeed, type AppSeed, type RepositorySeed, seedAccount, seedApp, seedRepository } from "./seed.ts";
import { findRepository, fullName, type Repository, type Webhook } from "./world.ts";

export interface AdminParts {
  played: Played;
  faults: Faults;
  ledger: Ledger;
}

type Act = (parts: AdminParts, body: Fields, rest: string) => unknown;

/** `METHOD first-segment` -> what it does; its result is the answer's body. */
const ACTS: Readonly<Record<string, Act>> = {
  "GET accounts": ({ played }) => played.world.accounts,
  "POST accounts": ({ played }, body) => seedAccount(played, body as unknown as AccountSeed),
  "DELETE accounts": ({ played }, _body, login) => deleteAccount(played, login),
  "GET repositories": ({ played }) =>
    played.world.repositories.map((repository) => ({ id: repository.id, name: fullName(repository) })),
  "POST repositories": async ({ played }, body) => {
    const repository = await seedRepository(played, body as unknown as RepositorySeed);
    return { id: repository.id, name: fullName(repository) };
  },
  "PATCH repositories": ({ played }, body, name) => changeRepository(repositoryOf(played, name), body),
  "POST apps": ({ played }, body) => seedApp(played, body as unknown as AppSeed),
  "PATCH installations": ({ played }, body, id) => {
    const installation = played.world.installations.find((one) => String(one.id) === id);
    if (!installation) throw notFound();
    installation.suspendedAt = body["suspended"] === true ? now() : null;
    return installation;
  },
  "DELETE installations": ({ played }, _body, id) => {
    played.world.installations = played.world.installations.filter((one) => String(one.id) !== id);
    return {};
  },
  "DELETE owner-installations": ({ played }, _body, owner) => {
    played.world.installations = played.world.installations.filter((one) => one.owner !== owner);
    return {};
  },
  /** Forgets minted tokens, as if their hour were over. */
  "DELETE installation-tokens": ({ played }) => {
    played.world.installationTokens = [];
    return {};
  },
  "POST push": ({ played, ledger }, body) => push(played, ledger, body as unknown as PushOrder),
  "GET branches": async ({ played }, _body, name) => {
    return Object.fromEntries(await branches(gitDirectory(played, repositoryOf(played, name))));
  },
  "POST checks": ({ played }, body) => putCheck(played, body),
  "POST queue": ({ played }, body) => settleQueue(played, body),
  "POST delete-issue": ({ played }, body) => deleteIssue(played, body),
  "PUT webhook": ({ played }, body) => {
    played.world.webhook = typeof body["url"] === "string" ? (body as unknown as Webhook) : null;
    return {};
  },
  "GET deliveries": ({ played }) => played.hooks.list(),
  "POST deliver": ({ played }, body) => {
    const action = typeof body["action"] === "string" ? body["action"] : null;
    return played.hooks.send(String(body["event"]), action, body["payload"] as object);
  },
  "POST redeliver": ({ played }, body, guid) => {
    return played.hooks.redeliver(guid, typeof body["secret"] === "string" ? { secret: body["secret"] } : {});
  },
  "POST idle": async ({ played }) => {
    await played.hooks.idle();
    return {};
  },
  "PUT mergeable-delay": ({ played }, body) => {
    played.mergeableDelayMs = Number(body["ms"]);
    return {};
  },
  "GET ledger": ({ ledger }) => ledger.effects(),
  "GET requests": ({ ledger }) => ledger.requests(),
  "POST faults": ({ faults }, body) => faults.add(body as unknown as FaultOrder),
  "GET faults": ({ faults }) => faults.list(),
  "DELETE faults": ({ faults }) => {
    faults.clear();
    return {};
  },
};

/** `path` comes without `/_played/`. */
export async function answerAdmin(parts: AdminParts, method: string, path: string, body: Fields): Promise<Answer> {
  const [first = "", ...rest] = path.split("/");
  const act = ACTS[`${method} ${first}`];
  if (!act) throw new Refusal(404, `There is no ${method} /_played/${first}. Known: ${Object.keys(ACTS).join(", ")}`);
  return { status: 200, body: await act(parts, body, rest.map(decodeURIComponent).join("/")) };
}

function repositoryOf(played: Played, name: unknown): Repository {
  const repository = typeof name === "string" ? findRepository(played.world, name) : undefined;
  if (!repository) throw new Refusal(404, `There is no repository ${String(name)}.`);
  return repository;
}

/** Permissions (null takes one away), switches, and a new `name` (`owner/name`): a rename or transfer. */
function changeRepository(repository: Repository, body: Fields): object {
  const { permissions, name, ...settings } = body;
  for (const [login, permission] of Object.entries((permissions ?? {}) as Record<string, Permission | null>)) {
    if (permission === null) delete repository.permissions[login];
    else repository.permissions[login] = permission;
  }
  if (typeof name === "string") {
    repository.formerNames.push(fullName(repository).toLowerCase());
    [repository.owner = repository.owner, repository.name = repository.name] = name.split("/");
  }
  for (const key of [
    "private",
    "archived",
    "draftsAllowed",
    "mergeMethods",
    "protection",
    "defaultBranch",
    "mergeableDelayMs",
  ] as const) {
    if (key in settings) Object.assign(repository, { [key]: settings[key] });
  }
  return { name: fullName(repository) };
}

/** What they wrote stays, without an author. */
function deleteAccount({ world }: Played, login: string): object {
  world.accounts = world.accounts.filter((account) => account.login !== login);
  for (const issue of world.repositories.flatMap((repository) => repository.issues)) {
    if (issue.author === login) issue.author = null;
    for (const comment of issue.comments) if (comment.author === login) comment.author = null;
  }
  return {};
}

export interface PushOrder {
  /** Login of who pushes. */
  as: string;
  repository: string;
  branch: string;
  /** By path; null deletes the file. */
  files: Record<string, string | null>;
  message?: string;
  /** Branch or commit that the new commit stands on. Default: the branch itself, else the default branch. */
  onto?: string;
}

async function push(played: Played, ledger: Ledger, order: PushOrder): Promise<{ sha: string }> {
  const repository = repositoryOf(played, order.repository);
  const actor = authenticateAs(played.world, order.as);
  const directory = gitDirectory(played, repository);
  const before = await branches(directory);
  const onto = order.onto ?? (before.has(order.branch) ? order.branch : repository.defaultBranch);
  const parent = (await branchSha(directory, onto)) ?? onto;
  const message = order.message ?? `Change ${Object.keys(order.files).join(", ")}`;
  const sha = await commitFiles(directory, parent, { files: order.files, message, author: gitAuthor(actor) });
  await setRef(directory, `refs/heads/${order.branch}`, sha);
  for (const moved of await settlePush({ played, repository, actor }, before)) {
    ledger.effect({
      actor: order.as,
      method: "PUSH",
      route: "git push",
      path: `/${fullName(repository)}.git`,
      status: 200,
      facts: moved,
    });
  }
  return { sha };
}

/** A check run as a pipeline makes it: `{repository, sha, name, status?, conclusion?, output?}`; the same name is updated. */
async function putCheck(played: Played, body: Fields): Promise<unknown> {
  const repository = repositoryOf(played, body["repository"]);
  const sha = String(body["sha"]);
  const known = repository.checkRuns.findLast(
    (run) => run.sha === sha && run.name === body["name"] && run.appId === null,
  );
  const run = known ?? newCheckRun(newId(played), sha, String(body["name"]), null);
  if (!known) repository.checkRuns.push(run);
  apply(run, body);
  if ("annotations" in body) run.annotations = body["annotations"] as NonNullable<typeof run.annotations>;
  if (typeof body["log"] === "string") run.log = body["log"];
  const happening = { played, repository, actor: authenticateAs(played.world, repository.owner) };
  if (!known) await checkRunHappened(happening, "created", run);
  if (run.status === "completed") await checkRunHappened(happening, "completed", run);
  return renderCheckRun(played, repository, run);
}

async function settleQueue(played: Played, body: Fields): Promise<object> {
  const repository = repositoryOf(played, body["repository"]);
  const issue = repository.issues.filter(isPull).find((candidate) => candidate.number === body["number"]);
  if (!issue?.pull.queued) throw notFound();
  const happening = { played, repository, actor: authenticateAs(played.world, repository.owner) };
  await leaveQueue(happening, issue, typeof body["thrownOut"] === "string" ? body["thrownOut"] : null);
  return {};
}

async function deleteIssue(played: Played, body: Fields): Promise<object> {
  const repository = repositoryOf(played, body["repository"]);
  const issue = repository.issues.find((candidate) => candidate.number === body["number"]);
  if (!issue) throw notFound();
  issue.deleted = true;
  const actor = authenticateAs(played.world, typeof body["as"] === "string" ? body["as"] : repository.owner);
  await issueHappened({ played, repository, actor }, "deleted", issue);
  return {};
}
