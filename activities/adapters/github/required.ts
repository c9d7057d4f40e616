/** What GitHub demands before a merge, and what a failed check has to say for itself. */
import { AccessDenied, NotFound, RequestRefused } from "../../../domain/errors.ts";
import type { CheckReport, Forge } from "../../../domain/ports.ts";
import { tailOf } from "../../../domain/text.ts";
import type { Client } from "./client.ts";

const MAX_ANNOTATIONS = 20;
/** The end of a log tells most. */
const LOG_CHARACTERS = 3_000;
const TEXT_CHARACTERS = 2_000;

export function createRequired(client: Client): Pick<Forge, "requiredChecks" | "checkDetails"> {
  return {
    async requiredChecks(repository, branch) {
      const protection = await orNull(
        client.ask(repository, `read the branch ${branch} of ${repository}`, (api, at) =>
          api.repos.getBranch({ ...at, branch }),
        ),
      );
      // Older GitHub Enterprise Servers have no rulesets.
      const rules = await orNull(
        client.all(repository, `read the rules of ${branch} of ${repository}`, (api, at) =>
          api.repos.getBranchRules({ ...at, branch }),
        ),
      );
      const classic = protection?.protection.required_status_checks;
      const byRules = (rules ?? []).flatMap((rule) =>
        rule.type === "required_status_checks"
          ? (rule.parameters?.required_status_checks ?? []).map((check) => check.context)
          : [],
      );
      const enforced = classic !== undefined && classic.enforcement_level !== "off";
      return [...new Set([...(enforced ? (classic.contexts ?? []) : []), ...byRules])];
    },

    async checkDetails(repository, check) {
      const { id } = check;
      if (id === null) return "";
      const annotations = await orNull(
        client.ask(repository, `read the annotations of a check run of ${repository}`, (api, at) =>
          api.checks.listAnnotations({ ...at, check_run_id: id, per_page: MAX_ANNOTATIONS }),
        ),
      );
      const run = await orNull(
        client.ask(repository, `read a check run of ${repository}`, (api, at) =>
          api.checks.get({ ...at, check_run_id: id }),
        ),
      );
      // The check run of a GitHub Actions job has the job's id.
      const log = run?.app?.slug === "github-actions" ? await jobLog(client, repository, id) : null;
      const notes = (annotations ?? []).map((note) => `${note.path}:${note.start_line}: ${note.message ?? ""}`);
      return [
        run?.output.text && tailOf(run.output.text, TEXT_CHARACTERS),
        notes.join("\n"),
        log && `The end of its log:\n${log}`,
      ]
        .filter((text) => text)
        .join("\n\n");
    },
  };
}

async function jobLog(client: Client, repository: string, id: NonNullable<CheckReport["id"]>): Promise<string | null> {
  const text = await orNull(
    client.ask(repository, `read the log of a job of ${repository}`, (api, at) =>
      api.actions.downloadJobLogsForWorkflowRun({ ...at, job_id: id }),
    ),
  );
  if (typeof text !== "string") return null;
  // Each line begins with the time at which it was written.
  return tailOf(text.replaceAll(/^\uFEFF?\d{4}-\d\d-\d\dT[\d:.]+Z /gm, "").trimEnd(), LOG_CHARACTERS);
}

/** What a token may not read is left out. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AccessDenied || error instanceof NotFound || error instanceof RequestRefused) return null;
    throw error;
  }
}
