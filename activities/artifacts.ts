/** Documents in the artifact store, as JSON. */
import { ArtifactMissing } from "../domain/errors.ts";
import { runPrefix } from "../domain/ids.ts";
import type { Artifacts } from "../domain/ports.ts";

/** The namespace of the Temporal server that runs belong to: servers of equal names have different ids. */
export interface Installation {
  namespace: string;
  namespaceId: string;
}

/** Whose a run's folder is, for retention. */
export interface RunNote extends Installation {
  /** The workflow id. */
  id: string;
  /** The id of the first execution of its chain: the same after continue-as-new and reset, another for a rerun. */
  firstRunId?: string;
}

/** First of all: whatever else is stored of a run, it is known whose it is. */
export async function putRunNote(
  artifacts: Artifacts,
  installation: Installation,
  run: { id: string; runKey: string },
  firstRunId: string | undefined,
): Promise<void> {
  const note: RunNote = { id: run.id, ...installation, ...(firstRunId === undefined ? {} : { firstRunId }) };
  await putJson(artifacts, runNoteKey(run.runKey), note);
}

export function runNoteKey(runKey: string): string {
  return `${runPrefix(runKey)}/run.json`;
}

export async function putJson(artifacts: Artifacts, key: string, value: unknown): Promise<void> {
  await artifacts.put(key, Buffer.from(JSON.stringify(value)));
}

/** Of several attempts that store what they made under one key the first counts: gives what is stored then. */
export async function putFirstJson<T>(artifacts: Artifacts, key: string, value: T): Promise<T> {
  const first = await artifacts.putIfAbsent(key, Buffer.from(JSON.stringify(value)));
  return first ? value : getJson<T>(artifacts, key);
}

/** null: there is none. The store holds what we wrote, so the type is trusted. */
export async function findJson<T>(artifacts: Artifacts, key: string): Promise<T | null> {
  const content = await artifacts.get(key);
  return content === null ? null : (JSON.parse(Buffer.from(content).toString("utf8")) as T);
}

/** Throws ArtifactMissing when a run refers to something that is gone. */
export async function getJson<T>(artifacts: Artifacts, key: string): Promise<T> {
  const value = await findJson<T>(artifacts, key);
  if (value === null) throw new ArtifactMissing(key);
  return value;
}
