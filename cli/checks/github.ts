/** GitHub: who we are, what we may do in each repository, the webhook's secret, and this machine's clock against theirs. */
import { checkGitHub, type GitHubCheck } from "../../activities/adapters/github/forge.ts";
import type { Config, GitHubAuth } from "../../config/config.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const silent = { debug: () => undefined, warn: () => undefined };
/** GitHub refuses an App's own tokens from a clock that is a minute fast; webhooks and retries bear a little more. */
const CLOCK_WARN_S = 30;
const CLOCK_FAIL_S = 300;
/** A person waits for the answer. */
const TIMEOUT_MS = 10_000;

export async function checkAccounts(config: Config, repository: string | null): Promise<Finding[]> {
  const owners = repository === null ? [...config.repositories] : [repository];
  const asked = owners.length > 0 ? owners : [null];
  const found = await Promise.all(asked.map((name) => checkOne(config, name)));
  return [...unique(found.flat()), ...checkSettings(config)];
}

async function checkOne(config: Config, repository: string | null): Promise<Finding[]> {
  const owner = repository?.split("/")[0]!.toLowerCase() ?? "";
  const auth = config.tenants.get(owner)?.githubAuth ?? config.github.auth;
  if (auth === null) {
    return [
      fail(
        "GitHub",
        "There is no token.",
        "Set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, in the environment or in .env.",
      ),
    ];
  }
  const { apiUrl, graphqlUrl } = config.github;
  const checks = await checkGitHub({
    apiUrl,
    graphqlUrl,
    auth,
    tenant: "doctor",
    log: silent,
    timeoutMs: TIMEOUT_MS,
    ...(repository === null ? {} : { repository }),
  });
  return checks.map(asFinding);
}

function asFinding({ name, ok: good, reason, mend }: GitHubCheck): Finding {
  return { name, state: good === null ? "warn" : good ? "ok" : "fail", what: reason, mend };
}

/** What does not fit together, whatever GitHub says. */
function checkSettings(config: Config): Finding[] {
  const findings: Finding[] = [];
  const auth: GitHubAuth | null = config.github.auth;
  const secret =
    config.github.webhookSecret ?? [...config.tenants.values()].find((tenant) => tenant.webhookSecret)?.webhookSecret;
  findings.push(
    secret
      ? ok("Webhook", "Its secret is set.")
      : warn(
          "Webhook",
          "There is no secret, so every delivery is refused.",
          "Set GITHUB_WEBHOOK_SECRET to the secret of the webhook on GitHub.",
        ),
  );
  if (auth?.kind === "app") {
    const assigns = ["any/other", ...config.repositories].some((name) => config.settingsFor(name).auto_assign);
    if (assigns)
      findings.push(
        warn(
          "Assignment",
          "auto_assign is on, but GitHub lets nobody assign an App.",
          "Set `auto_assign: false`, or use a user's token.",
        ),
      );
    else if (config.triggers.assigned)
      findings.push(ok("Assignment", "A GitHub App cannot be assigned: issues are started by label or comment."));
  }
  return findings;
}

export async function checkClock(config: Config): Promise<Finding[]> {
  const name = "Clock";
  const asked = Date.now();
  let answer: Response;
  try {
    answer = await fetch(config.github.apiUrl, {
      method: "HEAD",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "manual",
    });
  } catch {
    return [
      warn(
        name,
        `It cannot be compared: ${new URL(config.github.apiUrl).host} does not answer.`,
        "Check the network, proxies and GITHUB_API_URL.",
      ),
    ];
  }
  const theirs = Date.parse(answer.headers.get("date") ?? "");
  if (Number.isNaN(theirs)) return [ok(name, "GitHub does not tell the time.")];
  // Their header is cut to seconds; ours is taken in the middle of the way there and back.
  const off = Math.round(Math.abs((asked + Date.now()) / 2 - (theirs + 500)) / 1000);
  const mend = "Set this machine's clock by NTP (timedatectl set-ntp true).";
  if (off >= CLOCK_FAIL_S) return [fail(name, `It is ${off} s off GitHub's.`, mend)];
  return [
    off >= CLOCK_WARN_S ? warn(name, `It is ${off} s off GitHub's.`, mend) : ok(name, "It agrees with GitHub's."),
  ];
}

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.name}\0${finding.what}`, finding])).values()];
}
