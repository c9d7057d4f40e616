/** Which process something belongs to, and whether that one has ended: also for those who share a folder with it. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessMark {
  pid: number;
  /** When the process started, in the kernel's ticks: a reused pid differs. null where /proc is not there. */
  started: string | null;
  /** Host, boot and pid namespace: only there does the pid mean anything. */
  place: string;
}

/** Gone for certain: null where that cannot be told, as it ran on another machine, or as nothing tells processes apart. */
export function hasEnded(mark: ProcessMark): boolean | null {
  if (mark.place !== thisProcess().place) return null;
  if (mark.started !== null) return startOf(mark.pid) !== mark.started;
  try {
    process.kill(mark.pid, 0);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? true : null;
  }
}

let known: ProcessMark | null = null;

export function thisProcess(): ProcessMark {
  known ??= { pid: process.pid, started: startOf(process.pid), place: place() };
  return known;
}

function startOf(pid: number): string | null {
  const line = readOrNull(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // Counted after the command's name, which may hold spaces and parentheses: field 3 is the state, field 22 the start.
  const fields = line?.slice(line.lastIndexOf(")") + 2).split(" ");
  // Z: it has ended, and only its parent has not taken note.
  return fields === undefined || fields[0] === "Z" ? null : (fields[19] ?? null);
}

function place(): string {
  const boot = readOrNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const pids = readOrNull(() => readlinkSync("/proc/self/ns/pid"));
  return [hostname(), boot, pids].join(" ");
}

/** /proc is Linux's alone, and a process that ended has no entry there. */
function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
