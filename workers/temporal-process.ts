/** The operating system's side of the embedded Temporal server: ports, processes, and who holds the database. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Binds it for a moment: another program that holds it, on any address, makes that fail. */
export async function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen({ port, host, exclusive: true });
    await once(probe, "listening");
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("The probe for a free port has no port.");
  return address.port;
}

/** The command line of a living process; null when there is none of this id. */
export function commandLineOf(pid: number): string | null {
  try {
    // A process that ended and was not yet waited for has an empty one.
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() || null;
  } catch (error) {
    if (process.platform === "linux") return null;
    // Without /proc only its existence can be told; that is enough to leave it alone.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
    return exists(pid) ? "" : null;
  }
}

export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Distinguishes a process from a later one with the same id: its start in clock ticks; null where that is not told. */
export function startedAt(pid: number): string | null {
  try {
    // Field 22, counted behind the name, which may hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** Asks a process to end, and after `patienceMs` makes it. False: it is still there. */
export async function endProcess(pid: number, patienceMs: number): Promise<boolean> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return !exists(pid);
    }
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      if (commandLineOf(pid) === null) return true;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  return commandLineOf(pid) === null;
}

/**
 * A shell that reads from a pipe of ours and ends the server when the pipe closes, which it does however this process
 * ends, kill -9 included. In a group of its own, so that Ctrl-C in a terminal reaches us alone and we end things in order.
 */
export function watchOver(serverPid: number): ChildProcess {
  const watchdog = spawn("sh", ["-c", 'read -r _; kill -TERM "$0" 2>/dev/null', String(serverPid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without a shell the next start finds the orphan by its pid file.
  watchdog.on("error", () => undefined);
  watchdog.stdin?.on("error", () => undefined);
  watchdog.unref();
  return watchdog;
}
