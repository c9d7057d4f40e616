/** Finds the run that a path names: `{id}` is percent-encoded, or written with its slashes. */
import { parseRunId } from "../domain/ids.ts";
import { TASK_CHANGES, type TaskChange } from "../domain/tasks.ts";

export interface RunPath {
  /** The workflow id. */
  id: string;
  change: TaskChange | "fork" | null;
}

/** Reads what follows the prefix, such as `issue%2Fo%2Fr%2F1/approve`; null for anything else. */
export function readRunPath(url: string, prefix: string): RunPath | null {
  const { pathname } = new URL(url);
  if (!pathname.startsWith(prefix)) return null;
  const rest = pathname.slice(prefix.length);
  const change = ([...TASK_CHANGES, "fork"] as const).find((name) => rest.endsWith(`/${name}`)) ?? null;
  const encoded = change === null ? rest : rest.slice(0, -change.length - 1);
  const id = parseRunId(decode(encoded));
  return id === null ? null : { id, change };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: no id has one.
    return "";
  }
}
