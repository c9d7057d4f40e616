/** What a person may do to a run over HTTP: the same for the JSON API and for the buttons on its page. */
import { NotFound, RequestRefused } from "../domain/errors.ts";
import { parseIssueWorkflowId, type RepositoryName } from "../domain/ids.ts";
import { mayWrite, type Permission } from "../domain/run.ts";
import type { ChangeTask, ForkTask, StartTask, TaskChange } from "../domain/tasks.ts";
import type { Problem } from "./problem.ts";
import type { Runs, SendResult, CancelResult, StartRun } from "./runs.ts";

/** The permission of a person on a repository, as GitHub has it now. */
export type PermissionOf = (repository: RepositoryName, login: string) => Promise<Permission>;

export type Changed = { ok: true } | { ok: false; problem: Problem };
export type Started = { ok: true; id: string; started: boolean } | { ok: false; problem: Problem };

export type Forked = { ok: true; id: string } | { ok: false; problem: Problem };

export interface Changes {
  start(input: StartTask): Promise<Started>;
  fork(id: string, input: ForkTask): Promise<Forked>;
  change(id: string, change: TaskChange, input: ChangeTask): Promise<Changed>;
}

export function createChanges(runs: Runs, permissionOf: PermissionOf, kind: StartRun["kind"] = "api"): Changes {
  return {
    async start({ repository, issue, by }) {
      // Without a name it is the holder of the token who starts it; a name is held to what GitHub lets it do.
      if (by !== undefined) {
        const refusal = await refusePermission(permissionOf, repository, by);
        if (refusal) return { ok: false, problem: refusal };
      }
      const result = await runs.startRun({ repository, issue, by: by ?? null, kind });
      if (result.kind === "refused")
        return { ok: false, problem: { status: 409, code: result.why, message: result.reason } };
      return { ok: true, id: result.id, started: result.kind === "started" };
    },

    async fork(id, { by, turn, role, instruct, replace }) {
      const repository = parseIssueWorkflowId(id)!.repository;
      const refusal = await refusePermission(permissionOf, repository, by);
      if (refusal) return { ok: false, problem: refusal };
      const result = await runs.fork({ id, role, turn, instruct: instruct ?? null, by, replace, kind: "api" });
      if (result.kind === "forked") return { ok: true, id: result.id };
      const answered = answer(id, result);
      return answered.ok ? { ok: true, id } : answered;
    },

    async change(id, change, { by, sha, reason }) {
      switch (change) {
        case "approve":
          return answer(id, await runs.send(id, "approveMerge", sha === undefined ? { by } : { by, sha }));
        case "reject":
          return answer(id, await runs.send(id, "reject", { by, reason: reason ?? "No reason was given." }));
        case "pause":
        case "resume":
          return answer(id, await runs.send(id, change, { by }));
        case "cancel": {
          // A cancellation reaches the run without a name, so who may is asked here.
          const repository = parseIssueWorkflowId(id)?.repository;
          if (repository === undefined || (await runs.getRun(id)) === null) return answer(id, { kind: "not-found" });
          const refusal = await refusePermission(permissionOf, repository, by);
          return refusal ? { ok: false, problem: refusal } : answer(id, await runs.cancel(id));
        }
      }
    },
  };
}

/** Why a person may change nothing in a repository; null: they may. */
export async function refusePermission(
  permissionOf: PermissionOf,
  repository: RepositoryName,
  by: string,
): Promise<Problem | null> {
  const permission = await permissionOf(repository, by).catch((error: unknown): Permission => {
    // GitHub does not know the person, or does not show us the repository: that is no permission.
    if (error instanceof NotFound || error instanceof RequestRefused) return "none";
    throw error;
  });
  if (mayWrite(permission)) return null;
  const has = permission === "none" ? "no" : permission;
  return {
    status: 403,
    code: "not-permitted",
    message: `@${by} has ${has} permission on ${repository}, as far as GitHub tells us; write permission is needed.`,
  };
}

function answer(id: string, result: SendResult | CancelResult): Changed {
  switch (result.kind) {
    case "accepted":
    case "requested":
      return { ok: true };
    case "not-found":
      return { ok: false, problem: { status: 404, code: "not-found", message: `There is no run ${id}.` } };
    case "refused":
      return { ok: false, problem: { status: 409, code: "refused", message: result.reason } };
    case "ended":
      return { ok: false, problem: { status: 409, code: "ended", message: result.reason } };
    case "no-answer":
      return { ok: false, problem: { status: 503, code: "no-worker", message: result.reason } };
  }
}
