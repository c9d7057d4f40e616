/** Who runs the embedded Temporal server of a state directory, written down for later starts and for other commands. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError } from "../domain/errors.ts";
import { commandLineOf, exists, startedAt } from "./temporal-process.ts";

export interface RunningServer {
  /** `host:port` of the gRPC service. */
  address: string;
  webUi: string;
  /** Of the server itself. */
  pid: number;
}

interface Owner {
  pid: number;
  startedAt: string | null;
}

export const databaseOf = (home: string): string => join(home, "temporal.db");
const stateOf = (home: string): string => join(home, "temporal.json");
const lockOf = (home: string): string => join(home, "temporal.lock");

/** The server that runs on this state directory now; null when none does. */
export function findTemporalServer(home: string): RunningServer | null {
  const known = readState(home);
  return known && holdsDatabase(known.pid, home) ? known : null;
}

/** What was written down last, whether or not it still runs. */
export function readState(home: string): RunningServer | null {
  const value = readJson(stateOf(home)) as Partial<RunningServer> | null;
  if (!value || typeof value.address !== "string" || typeof value.webUi !== "string") return null;
  return Number.isInteger(value.pid) && value.pid! > 0 ? (value as RunningServer) : null;
}

export function writeState(home: string, server: RunningServer): void {
  const path = stateOf(home);
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(server, null, 2)}\n`, { mode: 0o600 });
  renameSync(aside, path);
}

/** A process id alone proves nothing: the system gives it out again. */
export function holdsDatabase(pid: number, home: string): boolean {
  const command = commandLineOf(pid);
  if (command === null) return false;
  return command === "" || (command.includes("start-dev") && command.includes(databaseOf(home)));
}

/**
 * Takes the state directory for this process; two servers on one database would ruin it. Returns how to give it back.
 * Throws ConfigurationError when a living process has it.
 */
export function takeHome(home: string): () => void {
  const path = lockOf(home);
  const mine: Owner = { pid: process.pid, startedAt: startedAt(process.pid) };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = readJson(path) as Owner | null;
    if (owner && lives(owner)) {
      throw new ConfigurationError([
        `MERGEWRIGHT_HOME: process ${owner.pid} already runs Mergewright with ${home}. Stop it first, or give this one a directory of its own, or let both use one server by TEMPORAL_ADDRESS.`,
      ]);
    }
    rmSync(path, { force: true });
  }
  throw new ConfigurationError([
    `MERGEWRIGHT_HOME: ${path} cannot be taken. Is another start under way? Try again, or remove the file.`,
  ]);
}

function lives(owner: Owner): boolean {
  if (!Number.isInteger(owner.pid) || owner.pid <= 0 || !exists(owner.pid)) return false;
  return owner.startedAt === null || owner.startedAt === startedAt(owner.pid);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // Missing, or cut short by a crash: both mean that nothing is known.
    return null;
  }
}
