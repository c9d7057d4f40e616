/** Retention: what runs have stored is removed when it has expired, as `domain/retention.ts` decides, and never before. */
import { Context } from "@temporalio/activity";
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { CannotDecrypt } from "../domain/errors.ts";
import { issueWorkflowId, parseIssueWorkflowId } from "../domain/ids.ts";
import type { Artifacts } from "../domain/ports.ts";
import {
  expiryBefore,
  familyOf,
  type FamilyState,
  payloadsHaveExpired,
  type RetentionReport,
  runHasExpired,
} from "../domain/retention.ts";
import { findJson, type Installation, type RunNote, runNoteKey } from "./artifacts.ts";
import { working } from "./temporal.ts";
import type { UpkeepActivities } from "./upkeep.ts";

/** Large payloads in the artifact store, by workflow. */
export interface StoredPayloads {
  workflows(): Promise<Iterable<string>>;
  lastAt(workflowId: string): Promise<Date | null>;
  /** What was written later stays: it belongs to a workflow that has begun meanwhile. */
  remove(workflowId: string, before: Date): Promise<void>;
}

export interface RetentionParts {
  artifacts: Artifacts;
  payloads: StoredPayloads;
  installation: Installation;
  /** 0: nothing is ever removed. */
  days: number;
}

export function createRetention(parts: RetentionParts): Pick<UpkeepActivities, "removeExpired"> {
  return {
    removeExpired: ({ now }) =>
      working(({ signal }) => removeExpired(parts, Context.current().client, new Date(now), signal)),
  };
}

/** Whatever cannot be asked, of Temporal or of the store, ends it: nothing is removed on a guess. */
export async function removeExpired(
  { artifacts, payloads, installation, days }: RetentionParts,
  client: Client,
  now: Date,
  signal?: AbortSignal,
): Promise<RetentionReport> {
  const report: RetentionReport = { runs: 0, workflows: 0, kept: 0, unknown: 0, others: 0 };
  if (days <= 0) return report;
  const { runs, mayBeOthers } = await readNotes(artifacts, installation, report);
  const workflowIds = [...(await payloads.workflows())];
  const families = new Families(client, [...[...runs.values()].map(({ id }) => id), ...workflowIds]);

  for (const [runKey, { id }] of runs) {
    signal?.throwIfAborted();
    const folder = `runs/${runKey}`;
    const expired = async (state: FamilyState): Promise<boolean> =>
      !state.open && runHasExpired(state, await lastWritten(artifacts, folder), now, days);
    if (!(await expired(await families.known(id))) || !(await expired(await families.now(id)))) {
      report.kept += 1;
      continue;
    }
    // The note goes last: what a removal that broke off has left is still known for what it is.
    for await (const each of artifacts.folders(folder)) await artifacts.remove(`${folder}/${each}`);
    await artifacts.remove(folder);
    report.runs += 1;
  }
  for (const workflowId of workflowIds) {
    signal?.throwIfAborted();
    const expired = async (state: FamilyState): Promise<boolean> =>
      !state.open && payloadsHaveExpired(state, await payloads.lastAt(workflowId), now, days);
    // Unknown to our Temporal server, they may be those of another one that writes to the same store.
    const goes =
      !mayBeOthers &&
      (await expired(await families.known(workflowId))) &&
      (await expired(await families.now(workflowId)));
    if (goes) await payloads.remove(workflowId, expiryBefore(now, days));
    report[goes ? "workflows" : "kept"] += 1;
  }
  return report;
}

/** Our runs in the store by their keys; others are counted. */
async function readNotes(
  artifacts: Artifacts,
  installation: Installation,
  report: RetentionReport,
): Promise<{ runs: Map<string, RunNote>; mayBeOthers: boolean }> {
  const runs = new Map<string, RunNote>();
  let mayBeOthers = false;
  for await (const runKey of artifacts.folders("runs")) {
    const note = await readNote(artifacts, runKey);
    if (note === null || note === "unreadable") {
      report.unknown += 1;
      mayBeOthers ||= note !== null;
    } else if (note.namespaceId !== installation.namespaceId) {
      report.others += 1;
      mayBeOthers ||= note.namespace === installation.namespace;
    } else runs.set(runKey, note);
  }
  return { runs, mayBeOthers };
}

async function readNote(artifacts: Artifacts, runKey: string): Promise<RunNote | null | "unreadable"> {
  try {
    return await findJson<RunNote>(artifacts, runNoteKey(runKey));
  } catch (error) {
    // Encrypted with a key that is not here: another's, or one that was given up.
    if (error instanceof CannotDecrypt) return "unreadable";
    throw error;
  }
}

/** What Temporal tells of families. */
class Families {
  readonly #client: Client;
  /** Workflow ids that the store knows, by family. */
  readonly #members = new Map<string, Set<string>>();
  readonly #known = new Map<string, FamilyState>();

  constructor(client: Client, workflowIds: readonly string[]) {
    this.#client = client;
    for (const id of workflowIds) {
      const family = familyOf(id);
      this.#members.set(family, (this.#members.get(family) ?? new Set([family])).add(id));
    }
  }

  /** As it was when it was first asked for: good enough to keep something. */
  async known(workflowId: string): Promise<FamilyState> {
    const family = familyOf(workflowId);
    const state = this.#known.get(family) ?? (await this.now(workflowId));
    this.#known.set(family, state);
    return state;
  }

  /** Listings lag behind by moments and may have lost something; what is asked by its id does neither. Both are asked. */
  async now(workflowId: string): Promise<FamilyState> {
    const family = familyOf(workflowId);
    const found: Execution[] = [];
    for (const id of this.#members.get(family) ?? [family]) found.push(...(await this.#describe(id)));
    found.push(...(await this.#forks(family)));
    const query = `WorkflowId STARTS_WITH '${family.replaceAll("'", "''")}'`;
    for await (const each of this.#client.workflow.list({ query })) {
      if (familyOf(each.workflowId) === family)
        found.push({ open: each.status.name === "RUNNING", at: each.closeTime });
    }
    return {
      open: found.some(({ open }) => open),
      endedAt: latest(found.map(({ at }) => at)),
    };
  }

  /** A fork takes the lowest number that is free: one that has just begun, and stored nothing yet, is found by trying them. */
  async #forks(family: string): Promise<Execution[]> {
    const issue = parseIssueWorkflowId(family);
    if (issue === null) return [];
    const numbers = [...(this.#members.get(family) ?? [])].map((id) => Number(/\/fork\/(\d+)/.exec(id)?.[1] ?? 0));
    const highest = Math.max(0, ...numbers);
    const found: Execution[] = [];
    for (let number = 1; ; number += 1) {
      const forks = await this.#describe(issueWorkflowId(issue.repository, issue.issue, number));
      if (forks.length === 0 && number > highest) return found;
      found.push(...forks);
    }
  }

  async #describe(workflowId: string): Promise<Execution[]> {
    try {
      const { status, closeTime } = await this.#client.workflow.getHandle(workflowId).describe();
      return [{ open: status.name === "RUNNING", at: closeTime }];
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return [];
      throw error;
    }
  }
}

interface Execution {
  open: boolean;
  /** When it ended. */
  at: Date | undefined;
}

async function lastWritten(artifacts: Artifacts, folder: string): Promise<Date | null> {
  let last: Date | null = null;
  for await (const { changedAt } of artifacts.list(folder)) if (last === null || changedAt > last) last = changedAt;
  return last;
}

function latest(times: readonly (Date | undefined)[]): Date | null {
  return times.reduce<Date | null>((last, at) => (at && (last === null || at > last) ? at : last), null);
}
