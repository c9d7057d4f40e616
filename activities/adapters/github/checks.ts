/** Checks of a commit: what others report, and our own report as a check run (Apps) or a commit status (tokens). */
import type { RepositoryName } from "../../../domain/ids.ts";
import type { CheckReport, Forge, StatusReport } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { inTurn, makeOrFind } from "./once.ts";
import { fitBody, fitLine, MAX_DESCRIPTION, MAX_SUMMARY } from "./text.ts";

export function createChecks(client: Client, checkName: string): Pick<Forge, "checks" | "report"> {
  const statuses = (repository: RepositoryName, sha: string) =>
    client.all(repository, `read the statuses of ${repository}@${sha.slice(0, 7)}`, async (api, at) => ({
      data: (await api.repos.getCombinedStatusForRef({ ...at, ref: sha })).data.statuses,
    }));

  const reportStatus = async (repository: RepositoryName, sha: string, report: StatusReport): Promise<void> => {
    const wanted = {
      state: report.state,
      context: checkName,
      description: fitLine(report.title, MAX_DESCRIPTION),
      ...(report.url !== null && { target_url: report.url }),
    };
    const find = async (): Promise<true | null> => {
      const mine = (await statuses(repository, sha)).find((status) => status.context === checkName);
      const same = mine?.state === wanted.state && mine.description === wanted.description;
      return same && (mine.target_url ?? null) === report.url ? true : null;
    };
    if (await find()) return;
    const action = `report a status on ${repository}@${sha.slice(0, 7)}`;
    await makeOrFind(async () => {
      await client.ask(repository, action, (api, at) => api.repos.createCommitStatus({ ...at, sha, ...wanted }));
      return true as const;
    }, find);
  };

  const reportCheckRun = async (repository: RepositoryName, sha: string, report: StatusReport): Promise<void> => {
    const wanted = {
      name: checkName,
      external_id: report.externalId,
      ...(report.state === "pending"
        ? { status: "in_progress" as const }
        : { status: "completed" as const, conclusion: report.state }),
      output: { title: fitLine(report.title, 255), summary: fitBody(report.summary, MAX_SUMMARY) },
      ...(report.url !== null && { details_url: report.url }),
    };
    const at7 = `${repository}@${sha.slice(0, 7)}`;
    const find = async (): Promise<number | null> => {
      const runs = await client.all(repository, `read our check runs of ${at7}`, async (api, at) => ({
        data: (await api.checks.listForRef({ ...at, ref: sha, check_name: checkName, filter: "all" })).data.check_runs,
      }));
      return runs.find((run) => run.external_id === report.externalId)?.id ?? null;
    };
    const make = async (): Promise<number> =>
      (
        await client.ask(repository, `make a check run on ${at7}`, (api, at) =>
          api.checks.create({ ...at, head_sha: sha, ...wanted }),
        )
      ).id;

    const found = await find();
    if (found === null) return void (await makeOrFind(make, find));
    await client.ask(repository, `update our check run on ${at7}`, (api, at) =>
      api.checks.update({ ...at, check_run_id: found, ...wanted }),
    );
  };

  return {
    async checks(repository, sha) {
      const runs = await client.all(
        repository,
        `read the check runs of ${repository}@${sha.slice(0, 7)}`,
        async (api, at) => ({
          data: (await api.checks.listForRef({ ...at, ref: sha, filter: "latest" })).data.check_runs,
        }),
      );
      return [
        ...runs.map((run) => ({
          id: run.id,
          name: run.name,
          state: runState(run.status, run.conclusion),
          url: run.html_url ?? run.details_url,
          summary: run.output.summary ?? run.output.title,
          ours: run.name === checkName,
        })),
        ...(await statuses(repository, sha)).map((status) => ({
          id: null,
          name: status.context,
          state: statusState(status.state),
          url: status.target_url,
          summary: status.description,
          ours: status.context === checkName,
        })),
      ];
    },

    report(repository, sha, report) {
      return inTurn(`${repository.toLowerCase()}@${sha} ${checkName}`, () =>
        // GitHub lets nobody but an App make check runs.
        report.kind === "check-run" && client.credentials.kind === "app"
          ? reportCheckRun(repository, sha, report)
          : reportStatus(repository, sha, report),
      );
    },
  };
}

/** A conclusion that we do not know counts as a failure: it must not let a merge through. */
export function runState(status: string, conclusion: string | null): CheckReport["state"] {
  if (status !== "completed") return "pending";
  if (conclusion === "success") return "success";
  return conclusion === "neutral" || conclusion === "skipped" || conclusion === "stale" ? "neutral" : "failure";
}

export function statusState(state: string): CheckReport["state"] {
  return state === "success" || state === "pending" ? state : "failure";
}
