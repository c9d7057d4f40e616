/** How the adapter is told to reach GitHub: where, as whom, and how patiently. */

export interface ForgeOptions {
  /** Base of the REST API: `https://api.github.com`, or `https://HOST/api/v3` on GitHub Enterprise Server. */
  apiUrl: string;
  /** For what REST does not know: drafts, the merge queue. */
  graphqlUrl: string;
  auth: ForgeAuth;
  /** Whose limits are counted together: a GitHub owner or an installation. Requests of two tenants never wait for each other. */
  tenant: string;
  log: ForgeLog;
  /** Stands in for the global `fetch`; tests watch the wire through it. */
  fetch?: Fetch;
  /** One request with its answer, in milliseconds. Default 30,000: GitHub itself gives up after 10 s. */
  timeoutMs?: number;
  /**
   * Between two writes of one tenant, in milliseconds. Default 1,000, as GitHub asks of integrations.
   * @see https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
   */
  writeSpacingMs?: number;
  /** The signal that ends what is asked for right now. Called once when a method begins, so it may read a context. */
  signal?: () => AbortSignal | undefined;
  /** Told GitHub's clock minus ours, in milliseconds, with every answer that carries a date. */
  onClock?: (skewMs: number) => void;
  /** Name of our check run and context of our commit status. Default `mergewright`. */
  checkName?: string;
}

export type ForgeAuth =
  | { kind: "token"; token: string }
  | {
      kind: "app";
      appId: string | number;
      /** PEM; line breaks may be written as `\n`, as they are in `.env` files. */
      privateKey: string;
    };

/** A pino logger fits. */
export interface ForgeLog {
  debug(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
