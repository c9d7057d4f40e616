/**
 * The other side of a fetch or a push: which addresses are allowed, how the token gets there, where a redirect may lead.
 *
 * The token goes as `http.<origin>/.extraHeader` in git's environment. Not in the URL (git prints and stores it), not on
 * the command line (every process list shows it), not in a file (a crash leaves it), and not by a credential helper: that
 * needs a shell, and a first request without it, which a server may answer with 403 or 404 instead of asking.
 */
import { AccessDenied, NotFound, RequestRefused, ServiceUnavailable } from "../../../domain/errors.ts";
import { Moved } from "./faults.ts";
import type { ConfigEntry } from "./hardening.ts";

export interface Remote {
  url: string;
  config: ConfigEntry[];
  secrets: string[];
}

export interface RemoteRules {
  /** Hosts, besides loopback, that may be reached without TLS. */
  httpHosts: readonly string[];
  /** `file://` addresses: for tests. */
  allowFileUrls: boolean;
}

/** @throws RequestRefused for an address that git must not be given. */
export function openRemote(cloneUrl: string, token: string | null, rules: RemoteRules): Remote {
  const url = checkUrl(cloneUrl, rules);
  if (url.protocol === "file:") return { url: url.href, config: [["protocol.file.allow", "always"]], secrets: [] };
  const config: ConfigEntry[] = url.protocol === "http:" ? [["protocol.http.allow", "always"]] : [];
  if (!token) return { url: url.href, config, secrets: [] };
  if (/[\r\n\0]/.test(token))
    throw new AccessDenied("git", "The token holds a line break: check how it is configured.");
  const basic = Buffer.from(`x-access-token:${token}`, "utf8").toString("base64");
  return {
    url: url.href,
    config: [...config, [`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`]],
    secrets: [token, basic],
  };
}

function checkUrl(cloneUrl: string, rules: RemoteRules): URL {
  const refuse = (why: string) =>
    new RequestRefused("git", 422, `The clone address ${JSON.stringify(withoutUser(cloneUrl))} is refused: ${why}.`);
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (cloneUrl.startsWith("-") || /[\u0000-\u0020\u007f\\]/.test(cloneUrl))
    throw refuse("it looks like an option or holds odd characters");
  if (!URL.canParse(cloneUrl)) throw refuse("it is not a URL");
  const url = new URL(cloneUrl);
  if (url.username !== "" || url.password !== "")
    throw refuse("it carries a user name or password; tokens are configured, not written into addresses");
  if (url.search !== "" || url.hash !== "") throw refuse("it carries a query or a fragment");
  if (url.protocol === "https:") return url;
  if (url.protocol === "http:") {
    if (isLoopback(url.hostname) || rules.httpHosts.includes(url.hostname) || rules.httpHosts.includes(url.host))
      return url;
    throw refuse("plain http is allowed for this machine and explicitly configured hosts only; use https");
  }
  if (url.protocol === "file:" && url.hostname === "" && rules.allowFileUrls) return url;
  throw refuse("only https addresses are allowed");
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function withoutUser(url: string): string {
  return url.replace(/\/\/[^/@]*@/g, "//***@");
}

/**
 * Runs `work`, and once more at the new address when the repository was renamed. Followed within one origin only, so that
 * the token never leaves it; git itself would send it along.
 */
export async function withRedirect<T>(
  remote: Remote,
  service: Service,
  rules: RemoteRules,
  signal: AbortSignal,
  work: (remote: Remote) => Promise<T>,
): Promise<T> {
  try {
    return await work(remote);
  } catch (error) {
    if (!(error instanceof Moved)) throw error;
    const url = await newAddress(remote, service, rules, signal);
    if (url === null)
      throw new NotFound(
        "repository",
        `${remote.url} now leads elsewhere, and not within the same host. Use the new address.`,
        { cause: error },
      );
    return work({ ...remote, url });
  }
}

type Service = "git-upload-pack" | "git-receive-pack";

/** Where the repository stands now, or null when the redirect leads elsewhere or cannot be read. */
async function newAddress(
  remote: Remote,
  service: Service,
  rules: RemoteRules,
  signal: AbortSignal,
): Promise<string | null> {
  const tail = `/info/refs?service=${service}`;
  const header = remote.config.find(([key]) => key.endsWith(".extraHeader"))?.[1];
  const authorization = header?.slice("Authorization: ".length);
  let url = remote.url;
  for (let hops = 0; hops < 5; hops++) {
    const response = await fetch(`${url}${tail}`, {
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new ServiceUnavailable("git", `${remote.url} could not be reached while following its redirect.`, {
        cause,
      });
    });
    await response.body?.cancel();
    if (response.status < 300 || response.status >= 400) return url === remote.url ? null : url;
    const location = response.headers.get("location");
    if (location === null || !URL.canParse(location, url)) return null;
    const next = new URL(location, url);
    if (next.origin !== new URL(remote.url).origin || !next.href.endsWith(tail)) return null;
    url = checkUrl(next.href.slice(0, -tail.length), rules).href;
  }
  return null;
}
