/** The questions of `--batch FILE`, one JSON document a line; `-` is standard input. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CommandFailed, UsageError } from "../errors.ts";

export interface Question {
  id: string | number;
  query: string;
}

export function readBatch(file: string, cwd: string): Question[] {
  return readText(file, cwd)
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, at) => (line.trim() === "" ? [] : [readLine(line, `${file}:${at + 1}`)]));
}

function readText(file: string, cwd: string): string {
  try {
    return readFileSync(file === "-" ? 0 : resolve(cwd, file), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailed("cannot-read", `${file} cannot be read (${code}).`, { cause: error });
  }
}

function readLine(line: string, place: string): Question {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new UsageError(
      `${place} is not JSON (${(cause as Error).message}). Write one {"id": ..., "query": "..."} a line.`,
      "memory",
    );
  }
  const { id, query } = (value ?? {}) as { id?: unknown; query?: unknown };
  if ((typeof id === "string" || typeof id === "number") && typeof query === "string") return { id, query };
  throw new UsageError(`${place} has no "id" and "query". Write one {"id": ..., "query": "..."} a line.`, "memory");
}
