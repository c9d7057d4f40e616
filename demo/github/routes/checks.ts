/** Commit statuses, which anybody with push access may set, and check runs, which only Apps may make. */
import type { Need } from "../access.ts";
import { checkRunHappened, statusHappened } from "../events.ts";
import { branchSha, hasCommit } from "../git.ts";
import { type Fields, forbidden, invalid, notFound, requiredText, text, unprocessable } from "../http.ts";
import { gitDirectory, newId, now } from "../played.ts";
import { renderRepository, renderUser, repositoryUrl } from "../render.ts";
import { renderCheckRun, renderSimpleStatus } from "../render-pull.ts";
import { type AskedOf, login, page, repositoryRoute, type Route } from "../router.ts";
import type { CheckRun, Status } from "../world.ts";

const READ_CHECKS: Need = { role: "read", app: "checks:read" };
const READ_STATUSES: Need = { role: "read", app: "statuses:read" };
const WRITE_CHECKS: Need = { role: "write", app: "checks:write" };
const WRITE_STATUSES: Need = { role: "write", app: "statuses:write" };

export const checkRoutes: Route[] = [
  repositoryRoute("POST", "/statuses/{sha}", WRITE_STATUSES, async (asked) => {
    const { played, repository, body, params, actor } = asked;
    const sha = params["sha"] ?? "";
    if (!(await hasCommit(gitDirectory(played, repository), sha)))
      throw unprocessable("Status", `No commit found for SHA: ${sha}`);
    const state = requiredText(body, "state", "Status");
    if (!["error", "failure", "pending", "success"].includes(state)) throw invalid("Status", "state", "invalid");
    const description = text(body, "description", "Status");
    if (description !== null && description.length > 140) {
      throw invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)");
    }
    const targetUrl = text(body, "target_url", "Status");
    if (targetUrl !== null && !/^https?:\/\//.test(targetUrl)) {
      throw invalid("Status", "target_url", "custom", "target_url must use http(s) scheme");
    }
    const status: Status = {
      id: newId(played),
      sha,
      state: state as Status["state"],
      context: text(body, "context", "Status") ?? "default",
      description,
      targetUrl,
      creator: login(asked),
      createdAt: now(),
    };
    repository.statuses.push(status);
    await statusHappened({ played, repository, actor }, status);
    return {
      status: 201,
      body: { ...renderSimpleStatus(played, repository, status), creator: renderUser(played, status.creator) },
    };
  }),

  repositoryRoute("GET", "/commits/{ref}/status", READ_STATUSES, async (asked) => {
    const { played, repository } = asked;
    const sha = await commitOf(asked);
    const latest = new Map(
      repository.statuses.filter((status) => status.sha === sha).map((status) => [status.context, status]),
    );
    const statuses = [...latest.values()];
    const url = `${repositoryUrl(played, repository)}/commits/${sha}`;
    return page(asked, `/repos/${repository.owner}/${repository.name}/commits/${sha}/status`, statuses, (shown) => ({
      state: combined(statuses),
      statuses: (shown as Status[]).map((status) => renderSimpleStatus(played, repository, status)),
      sha,
      total_count: statuses.length,
      repository: renderRepository(played, repository),
      commit_url: url,
      url: `${url}/status`,
    }));
  }),

  repositoryRoute("POST", "/check-runs", WRITE_CHECKS, async (asked) => {
    const { played, repository, body, actor } = asked;
    if (actor.kind !== "installation") throw forbidden("You must authenticate via a GitHub App.");
    const sha = requiredText(body, "head_sha", "CheckRun");
    if (!(await hasCommit(gitDirectory(played, repository), sha)))
      throw unprocessable("CheckRun", `No commit found for SHA: ${sha}`);
    const run = newCheckRun(newId(played), sha, requiredText(body, "name", "CheckRun"), actor.app.id);
    apply(run, body);
    repository.checkRuns.push(run);
    const happening = { played, repository, actor };
    await checkRunHappened(happening, "created", run);
    if (run.status === "completed") await checkRunHappened(happening, "completed", run);
    return { status: 201, body: renderCheckRun(played, repository, run) };
  }),

  repositoryRoute("PATCH", "/check-runs/{check_run_id}", WRITE_CHECKS, async (asked) => {
    const { played, repository, body, params, actor } = asked;
    const run = repository.checkRuns.find((candidate) => String(candidate.id) === params["check_run_id"]);
    if (!run) throw notFound();
    if (actor.kind !== "installation" || actor.app.id !== run.appId)
      throw forbidden("Invalid app_id `0` - check run can only be modified by the GitHub App that created it.");
    const before = `${run.status} ${run.conclusion}`;
    apply(run, body);
    const changed = before !== `${run.status} ${run.conclusion}`;
    if (run.status === "completed" && changed) await checkRunHappened({ played, repository, actor }, "completed", run);
    return { status: 200, body: renderCheckRun(played, repository, run) };
  }),

  repositoryRoute("GET", "/check-runs/{check_run_id}", READ_CHECKS, (asked) => {
    const { played, repository } = asked;
    return { status: 200, body: renderCheckRun(played, repository, runOf(asked)) };
  }),

  repositoryRoute("GET", "/check-runs/{check_run_id}/annotations", READ_CHECKS, (asked) => {
    const run = runOf(asked);
    const blob = `${repositoryUrl(asked.played, asked.repository)}/git/blobs`;
    const notes = (run.annotations ?? []).map(({ path, line, message }) => ({
      path,
      start_line: line,
      end_line: line,
      start_column: null,
      end_column: null,
      annotation_level: "failure",
      title: null,
      message,
      raw_details: null,
      blob_href: blob,
    }));
    const path = `/repos/${asked.repository.owner}/${asked.repository.name}/check-runs/${run.id}/annotations`;
    return page(asked, path, notes);
  }),

  // GitHub keeps logs elsewhere, and points there with an address that needs no token.
  repositoryRoute("GET", "/actions/jobs/{job_id}/logs", READ_CHECKS, (asked) => {
    const run = asked.repository.checkRuns.find((candidate) => String(candidate.id) === asked.params["job_id"]);
    if (run?.log === undefined) throw notFound();
    const elsewhere = asked.played.base.replace("127.0.0.1", "localhost");
    return { status: 302, headers: { location: `${elsewhere}/_logs/${asked.repository.id}/${run.id}` } };
  }),

  repositoryRoute("GET", "/commits/{ref}/check-runs", READ_CHECKS, async (asked) => {
    const { played, repository, query } = asked;
    const sha = await commitOf(asked);
    const name = query.get("check_name");
    const found = repository.checkRuns.filter((run) => run.sha === sha && (name === null || run.name === name));
    const latest = [...new Map(found.map((run) => [`${run.appId} ${run.name}`, run])).values()];
    const shown = query.get("filter") === "all" ? found : latest;
    return page(asked, `/repos/${repository.owner}/${repository.name}/commits/${sha}/check-runs`, shown, (runs) => ({
      total_count: shown.length,
      check_runs: (runs as CheckRun[]).map((run) => renderCheckRun(played, repository, run)),
    }));
  }),
];

function runOf({ repository, params }: AskedOf): CheckRun {
  const run = repository.checkRuns.find((candidate) => String(candidate.id) === params["check_run_id"]);
  if (!run) throw notFound();
  return run;
}

export function newCheckRun(id: number, sha: string, name: string, appId: number | null): CheckRun {
  return {
    id,
    sha,
    name,
    externalId: "",
    status: "queued",
    conclusion: null,
    title: null,
    summary: null,
    text: null,
    detailsUrl: null,
    appId,
    startedAt: now(),
    completedAt: null,
  };
}

const CONCLUSIONS = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"];

/** What a request sets; a conclusion completes the run. */
export function apply(run: CheckRun, body: Fields): void {
  const status = text(body, "status", "CheckRun");
  if (status !== null && !["queued", "in_progress", "completed"].includes(status))
    throw invalid("CheckRun", "status", "invalid");
  const conclusion = text(body, "conclusion", "CheckRun");
  if (conclusion !== null && !CONCLUSIONS.includes(conclusion)) throw invalid("CheckRun", "conclusion", "invalid");
  if (status === "completed" && conclusion === null) throw invalid("CheckRun", "conclusion", "missing_field");
  run.name = text(body, "name", "CheckRun") ?? run.name;
  run.externalId = text(body, "external_id", "CheckRun") ?? run.externalId;
  run.detailsUrl = text(body, "details_url", "CheckRun") ?? run.detailsUrl;
  if (conclusion !== null) Object.assign(run, { status: "completed", conclusion, completedAt: now() });
  else if (status !== null) Object.assign(run, { status, conclusion: null, completedAt: null });
  const output = body["output"];
  if (typeof output !== "object" || output === null) return;
  const fields = output as Fields;
  run.title = text(fields, "title", "CheckRun") ?? run.title;
  run.text = text(fields, "text", "CheckRun") ?? run.text;
  run.summary = text(fields, "summary", "CheckRun") ?? run.summary;
  if (run.summary !== null && run.summary.length > 65_535) {
    throw invalid("CheckRun", "summary", "custom", "Summary exceeds a maximum bytesize of 65535");
  }
}

/** GitHub takes a commit or a branch here. */
async function commitOf({ played, repository, params }: AskedOf): Promise<string> {
  const ref = params["ref"] ?? "";
  const directory = gitDirectory(played, repository);
  if (await hasCommit(directory, ref)) return ref;
  const sha = await branchSha(directory, ref);
  if (sha === null) throw unprocessable("Commit", `No commit found for SHA: ${ref}`);
  return sha;
}

function combined(statuses: readonly Status[]): string {
  if (statuses.some((status) => status.state === "failure" || status.state === "error")) return "failure";
  return statuses.length > 0 && statuses.every((status) => status.state === "success") ? "success" : "pending";
}
