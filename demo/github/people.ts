/** Acting on a played GitHub from outside: as its people over REST, and as the test through `/_played/`. */
import type { Permission } from "../../domain/run.ts";
import type { PushOrder } from "./admin.ts";
import type { Fault, FaultOrder } from "./faults.ts";
import type { DeliveryRecord } from "./hooks.ts";
import type { Effect, RequestRecord } from "./ledger.ts";
import type { AccountSeed, AppSeed, RepositorySeed } from "./seed.ts";
import type { Account, Protection, Webhook } from "./world.ts";

export interface People {
  /** Somebody by name, speaking through the REST API with their own token. */
  as(login: string): Person;
  token(login: string): Promise<string>;
  addAccount(seed: AccountSeed): Promise<Account>;
  deleteAccount(login: string): Promise<void>;
  addRepository(seed: RepositorySeed): Promise<void>;
  addApp(seed: AppSeed): Promise<{ id: number; installations: number[] }>;
  /** Permissions (null takes one away), switches, or a new name. */
  changeRepository(name: string, change: RepositoryChange): Promise<void>;
  suspendInstallation(id: number, suspended: boolean): Promise<void>;
  /** Takes all Apps away from an account. */
  removeInstallations(owner: string): Promise<void>;
  /** Ends all minted tokens, as if their hour were over. */
  expireInstallationTokens(): Promise<void>;
  push(order: PushOrder): Promise<{ sha: string }>;
  branches(repository: string): Promise<Record<string, string>>;
  /** A check run of the repository's own pipeline. */
  check(check: {
    repository: string;
    sha: string;
    name: string;
    status?: string;
    conclusion?: string;
    output?: object;
    annotations?: { path: string; line: number; message: string }[];
    /** Of the job, as GitHub Actions keeps it. */
    log?: string;
  }): Promise<void>;
  /** What the merge queue does with a pull request that is in it: merges it, or takes it out with a reason. */
  settleQueue(order: { repository: string; number: number; thrownOut?: string }): Promise<void>;
  deleteIssue(order: { repository: string; number: number; as?: string }): Promise<void>;
  setWebhook(webhook: Webhook | null): Promise<void>;
  deliveries(): Promise<DeliveryRecord[]>;
  deliver(order: { event: string; action?: string; payload: object }): Promise<DeliveryRecord>;
  redeliver(guid: string, options?: { secret?: string }): Promise<DeliveryRecord>;
  /** Waits until no delivery is under way. */
  idle(): Promise<void>;
  fault(order: FaultOrder): Promise<Fault>;
  faults(): Promise<Fault[]>;
  clearFaults(): Promise<void>;
  /** Every effect since the world began. */
  ledger(): Promise<Effect[]>;
  /** Every request since the process began. */
  requests(): Promise<RequestRecord[]>;
  setMergeableDelay(ms: number): Promise<void>;
}

export interface RepositoryChange {
  permissions?: Record<string, Permission | null>;
  name?: string;
  private?: boolean;
  archived?: boolean;
  draftsAllowed?: boolean;
  protection?: Protection | null;
  mergeMethods?: ("merge" | "squash" | "rebase")[];
  mergeableDelayMs?: number;
}

export interface Person {
  /** Any route of the REST API; throws with GitHub's message when it refuses. */
  rest<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T>;
  openIssue(
    repository: string,
    issue: { title: string; body?: string; labels?: string[] },
  ): Promise<{ number: number; html_url: string }>;
  comment(repository: string, number: number, body: string): Promise<{ id: number }>;
  label(repository: string, number: number, ...labels: string[]): Promise<void>;
  review(
    repository: string,
    number: number,
    review: { event: "APPROVE" | "REQUEST_CHANGES" | "COMMENT"; body?: string; commit_id?: string },
  ): Promise<{ id: number }>;
  close(repository: string, number: number): Promise<void>;
}

/** A refusal, with what was asked. */
export class PlayedRefusal extends Error {
  readonly status: number;
  constructor(asked: string, status: number, body: string) {
    super(`${asked} was answered with ${status}: ${body.slice(0, 500)}`);
    this.status = status;
  }
}

/** `url` as the server prints it; `fetch` may watch the wire. */
export function people(url: string, doFetch: typeof fetch = fetch): People {
  const ask = async <T>(method: string, path: string, body?: object, token?: string): Promise<T> => {
    const answer = await doFetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new PlayedRefusal(`${method} ${path}`, answer.status, text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const admin = <T>(method: string, path: string, body?: object): Promise<T> =>
    ask<T>(method, `/_played/${path}`, body);
  const token = async (login: string): Promise<string> => {
    const accounts = await admin<Account[]>("GET", "accounts");
    const found = accounts.find((account) => account.login === login)?.token;
    if (found == null) throw new Error(`The played GitHub has no account ${login} that can sign in.`);
    return found;
  };

  const person = (login: string): Person => {
    const rest = async <T>(method: string, path: string, body?: object): Promise<T> =>
      ask<T>(method, path, body, await token(login));
    return {
      rest,
      openIssue: (repository, issue) => rest("POST", `/repos/${repository}/issues`, issue),
      comment: (repository, number, body) => rest("POST", `/repos/${repository}/issues/${number}/comments`, { body }),
      label: (repository, number, ...labels) =>
        rest("POST", `/repos/${repository}/issues/${number}/labels`, { labels }),
      review: (repository, number, review) => rest("POST", `/repos/${repository}/pulls/${number}/reviews`, review),
      close: (repository, number) => rest("PATCH", `/repos/${repository}/issues/${number}`, { state: "closed" }),
    };
  };

  return {
    as: person,
    token,
    addAccount: (seed) => admin("POST", "accounts", seed),
    deleteAccount: (login) => admin("DELETE", `accounts/${login}`),
    addRepository: (seed) => admin("POST", "repositories", seed),
    addApp: (seed) => admin("POST", "apps", seed),
    changeRepository: (name, change) => admin("PATCH", `repositories/${name}`, change),
    suspendInstallation: (id, suspended) => admin("PATCH", `installations/${id}`, { suspended }),
    removeInstallations: (owner) => admin("DELETE", `owner-installations/${owner}`),
    expireInstallationTokens: () => admin("DELETE", "installation-tokens"),
    push: (order) => admin("POST", "push", order),
    branches: (repository) => admin("GET", `branches/${repository}`),
    check: (check) => admin("POST", "checks", check),
    settleQueue: (order) => admin("POST", "queue", order),
    deleteIssue: (order) => admin("POST", "delete-issue", order),
    setWebhook: (webhook) => admin("PUT", "webhook", webhook ?? {}),
    deliveries: () => admin("GET", "deliveries"),
    deliver: (order) => admin("POST", "deliver", order),
    redeliver: (guid, options = {}) => admin("POST", `redeliver/${guid}`, options),
    idle: () => admin("POST", "idle"),
    fault: (order) => admin("POST", "faults", order),
    faults: () => admin("GET", "faults"),
    clearFaults: () => admin("DELETE", "faults"),
    ledger: () => admin("GET", "ledger"),
    requests: () => admin("GET", "requests"),
    setMergeableDelay: (ms) => admin("PUT", "mergeable-delay", { ms }),
  };
}
