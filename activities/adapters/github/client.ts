/**
 * One way to ask GitHub: as the right account, spaced, within a time limit, and with every failure in our words.
 * It never sleeps and never repeats: a limit becomes `RateLimited`, and the workflow waits on a durable timer. The one
 * exception is a 401 of an App, whose token is minted anew once: GitHub refused it before it did anything.
 */
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";
import { AccessDenied, MergewrightError, NotFound, RequestRefused } from "../../../domain/errors.ts";
import { isRepositoryName, type RepositoryName } from "../../../domain/ids.ts";
import { createCredentials, type Credentials } from "./credentials.ts";
import { toError } from "./errors.ts";
import { readFailure, throwGraphqlErrors } from "./failure.ts";
import type { ForgeLog, ForgeOptions } from "./options.ts";
import { spacing } from "./spacing.ts";
import { createTransport } from "./transport.ts";

export type Api = Octokit["rest"];

/** The repository as Octokit's methods take it. */
export type At = { owner: string; repo: string };

export interface Client {
  readonly log: ForgeLog;
  readonly credentials: Credentials;
  /** `action` completes "GitHub refused to ..." and never holds text of strangers. */
  ask<T>(repository: RepositoryName, action: string, request: (api: Api, at: At) => Promise<{ data: T }>): Promise<T>;
  /** All pages of 100, in GitHub's order. */
  all<T>(
    repository: RepositoryName,
    action: string,
    request: (api: Api, at: At & Page) => Promise<{ data: readonly T[] }>,
  ): Promise<T[]>;
  /** A GraphQL document; its errors become ours, its data is returned as it came. */
  graphql(repository: RepositoryName, action: string, query: string, variables: object): Promise<unknown>;
  /** A question about the App itself, asked with its own token. Only for credentials of an App. */
  askAsApp<T>(action: string, request: (api: Api) => Promise<{ data: T }>): Promise<T>;
  token(repository: RepositoryName): Promise<string>;
  /** The answer with its headers; for the doctor, who reads what they say about the token. */
  answer<T>(repository: RepositoryName, action: string, request: (octokit: Octokit, at: At) => Promise<T>): Promise<T>;
}

export type Page = { per_page: number; page: number };

const API_VERSION = "2022-11-28";
const PER_PAGE = 100;
/** 100,000 items: beyond what any issue has, so that a server that never ends its pages does not hold us for ever. */
const MAX_PAGES = 1000;

export function createClient(options: ForgeOptions): Client {
  const apiUrl = options.apiUrl.replace(/\/+$/, "");
  const { graphqlUrl } = options;
  let skewMs = 0;
  const transport = createTransport({
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs: options.timeoutMs ?? 30_000,
    origins: [new URL(apiUrl).origin, new URL(graphqlUrl).origin],
    onClock: (skew) => {
      skewMs = skew;
      options.onClock?.(skew);
    },
  });
  const common = {
    baseUrl: apiUrl,
    userAgent: "mergewright",
    request: { fetch: transport },
    log: octokitLog(options.log),
  };
  const bare = new Octokit(common).request;
  const credentials = createCredentials(options.auth, bare, () => skewMs);

  // Made for each question, which costs 0.1 ms: it holds the token and the signal of that question.
  const octokitFor = (token: string, signal: AbortSignal | undefined): Octokit =>
    new Throttled({
      ...common,
      request: { fetch: transport, ...(signal && { signal }) },
      auth: token,
      throttle: {
        id: `${apiUrl} ${options.tenant}`,
        ...queues(options.writeSpacingMs ?? 1000),
        onRateLimit: () => false,
        onSecondaryRateLimit: () => false,
      },
    });

  /** Runs what was asked under the caller's signal and translates whatever goes wrong. */
  const translated = async <T>(action: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof MergewrightError) throw error;
      const failure = readFailure(error);
      if (failure === null) throw error;
      options.log.debug({ status: failure.status, action }, "GitHub refused or failed");
      throw toError(failure, { action, now: Date.now(), jitter: Math.random(), cause: error });
    }
  };

  const withToken = async <T>(
    repository: RepositoryName,
    action: string,
    work: (octokit: Octokit, at: At) => Promise<T>,
  ): Promise<T> => {
    const signal = options.signal?.();
    const at = split(repository);
    return await translated(action, signal, async () => {
      return await orAnew(action, async (fresh) => work(octokitFor(await tokenFor(repository, fresh), signal), at));
    });
  };

  /** A token of an App may end early, and the first refusal tells how wrong our clock is: GitHub has done nothing yet. */
  const orAnew = async <T>(action: string, speak: (fresh: boolean) => Promise<T>): Promise<T> => {
    try {
      return await speak(false);
    } catch (error) {
      if (credentials.kind !== "app" || readFailure(error)?.status !== 401) throw error;
      options.log.warn({ action }, "GitHub did not take the App's token: one is made anew");
      return await speak(true);
    }
  };

  const tokenFor = async (repository: RepositoryName, fresh: boolean): Promise<string> => {
    try {
      return await credentials.token(repository, fresh);
    } catch (error) {
      if (readFailure(error)?.status !== 404) throw error;
      const text = `The GitHub App is not installed on ${repository}, or the repository does not exist. Install the App there.`;
      throw new AccessDenied("GitHub", text, { cause: error });
    }
  };

  return {
    log: options.log,
    credentials,
    answer: withToken,
    token: (repository) => {
      split(repository);
      const action = `mint a token for ${repository}`;
      return translated(action, options.signal?.(), () => orAnew(action, (fresh) => tokenFor(repository, fresh)));
    },
    async ask(repository, action, request) {
      return (await withToken(repository, action, (octokit, at) => request(octokit.rest, at))).data;
    },
    async all(repository, action, request) {
      const items = [];
      for (let page = 1; page <= MAX_PAGES; page++) {
        const paging = { per_page: PER_PAGE, page };
        const { data } = await withToken(repository, action, (octokit, at) =>
          request(octokit.rest, { ...at, ...paging }),
        );
        items.push(...data);
        if (data.length < PER_PAGE) return items;
      }
      throw new RequestRefused("GitHub", 422, `More than ${MAX_PAGES} pages came when we tried to ${action}.`);
    },
    async graphql(repository, action, query, variables) {
      const answer = await withToken(repository, action, async (octokit) => {
        const response = await octokit.request({ method: "POST", url: graphqlUrl, query, variables });
        throwGraphqlErrors(response.data, response.headers);
        return response;
      });
      return answer.data.data;
    },
    async askAsApp<T>(action: string, request: (api: Api) => Promise<{ data: T }>) {
      const signal = options.signal?.();
      const speak = async (): Promise<{ data: T }> => {
        const token = await credentials.appToken();
        if (token === null) throw new AccessDenied("GitHub", `Only a GitHub App can ${action}.`);
        return await request(octokitFor(token, signal).rest);
      };
      return (await translated(action, signal, () => orAnew(action, speak))).data;
    },
  };
}

const Throttled = Octokit.plugin(throttling).defaults({ headers: { "x-github-api-version": API_VERSION } });

/** The plugin takes its queues from here, though its types do not say so; see `spacing.ts`. */
function queues(writeSpacingMs: number): object {
  return { write: spacing(writeSpacingMs), notifications: spacing(0) };
}

function split(repository: RepositoryName): At {
  if (!isRepositoryName(repository)) {
    throw new NotFound(`repository ${repository}`, `"${repository}" is not a repository name: write OWNER/NAME.`);
  }
  const [owner = "", repo = ""] = repository.split("/");
  return { owner, repo };
}

function octokitLog(log: ForgeLog): { [level in "debug" | "info" | "warn" | "error"]: (message: string) => void } {
  const quiet = (message: string): void => log.debug({ from: "octokit" }, message);
  return { debug: quiet, info: quiet, warn: quiet, error: quiet };
}
