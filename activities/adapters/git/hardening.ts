/**
 * The only environment and configuration that git on the host ever sees. Everything goes by environment
 * (`GIT_CONFIG_COUNT`), nothing by file or command line: what a process list or a mirror's `config` shows holds no secret.
 */
export type ConfigEntry = readonly [key: string, value: string];

/** Of the worker's own environment git gets these alone: where programs are, proxies, certificates. */
const PASSED_ON = [
  "PATH",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "GIT_SSL_CAINFO",
  "CURL_CA_BUNDLE",
] as const;

/**
 * Old, harmless mistakes in the histories of well-known repositories. They are let through from upstream only: what a
 * sandbox hands back is checked without exception (see `take.ts`).
 */
export const FORGIVEN_UPSTREAM = [
  "badTimezone",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "missingEmail",
  "missingNameBeforeEmail",
  "badDate",
  "badDateOverflow",
  "zeroPaddedDate",
  "zeroPaddedFilemode",
  "badFilemode",
  "missingTaggerEntry",
  "badTagName",
  "multipleAuthors",
  "gitmodulesParse",
  "gitmodulesBlob",
] as const;

/** Above this, blobs are streamed and called binary, so that one file cannot fill the worker's memory. */
const BIG_FILE = "32m";

const CONFIG: readonly ConfigEntry[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.protectHFS", "true"],
  ["core.protectNTFS", "true"],
  ["core.quotePath", "false"],
  ["core.bigFileThreshold", BIG_FILE],
  // Commits that a branch pointed to before a forced push stay findable, and `git gc` leaves them alone.
  ["core.logAllRefUpdates", "always"],
  ["gc.reflogExpire", "180.days"],
  ["gc.reflogExpireUnreachable", "180.days"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["safe.bareRepository", "explicit"],
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["credential.helper", ""],
  ["fetch.fsckObjects", "true"],
  ["transfer.fsckObjects", "true"],
  ["fetch.recurseSubmodules", "false"],
  ["push.recurseSubmodules", "no"],
  ["submodule.recurse", "false"],
  ["transfer.bundleURI", "false"],
  // Git would send the Authorization header on to the new address; `remote.ts` follows a redirect itself, within one origin.
  ["http.followRedirects", "false"],
  // A connection that moves less than 1 kB/s for a minute is dead.
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "60"],
  ...FORGIVEN_UPSTREAM.map((id): ConfigEntry => [`fetch.fsck.${id}`, "ignore"]),
];

export function gitEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  call: { gitDir: string | null; env?: Readonly<Record<string, string>>; config?: readonly ConfigEntry[] },
): Record<string, string> {
  const env: Record<string, string> = {
    LC_ALL: "C",
    TZ: "UTC",
    HOME: "/dev/null",
    XDG_CONFIG_HOME: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_PAGER: "cat",
    GIT_LFS_SKIP_SMUDGE: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "1",
    // Reading never writes: two workers may share a mirror.
    GIT_OPTIONAL_LOCKS: "0",
  };
  for (const name of PASSED_ON) if (host[name] !== undefined) env[name] = host[name];
  if (call.gitDir !== null) env["GIT_DIR"] = call.gitDir;
  const config = [...CONFIG, ...(call.config ?? [])];
  env["GIT_CONFIG_COUNT"] = String(config.length);
  config.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return { ...env, ...call.env };
}
