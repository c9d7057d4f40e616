/** A sandbox as the rest of the product sees it, asked through a command server: the same code for Docker and local processes. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { LeftToAnother, SandboxLost, ServiceUnavailable } from "../../../domain/errors.ts";
import type { CommandResult, FileRead, FileWrite, Sandbox, SandboxCommand } from "../../../domain/ports.ts";
import { Connection, ConnectionLost, type Reply } from "./connection.ts";
import type { Field } from "./frames.ts";
import { never, untilAborted } from "./waiting.ts";

/** Where a command server can be had. */
export interface CommandServers {
  /** Names the sandbox in messages. */
  readonly name: string;
  readonly tree: string;
  readonly scratch: string;
  /** Starts a server in the sandbox. Throws SandboxLost when the sandbox is gone, SandboxUnavailable when its engine is. */
  connect(): Promise<Connection>;
}

/** As far as this room needs one. */
export interface SandboxLog {
  info(facts: object, message: string): void;
}

/** Connections that one question may use up before the sandbox counts as lost. */
const ATTEMPTS = 4;
const FILE_LIMIT_MS = 120_000;
/** Ending a command takes half a second when it is stubborn; nobody waits longer for an engine that hangs. */
const CANCEL_LIMIT_MS = 5_000;
/** On top of a command's own limit: the server gives up a stuck supervisor after 15 s, and killing takes up to 10. */
const COMMAND_SLACK_MS = 40_000;
/** Head and tail come in one frame. */
const MAX_KEEP_BYTES = 16 * 1024 * 1024;
/** The longest that a timer holds. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1 - COMMAND_SLACK_MS;

/**
 * Background processes end with their command: when a script ends, is timed out or aborted, everything that it started
 * is ended too, by TERM and half a second later by KILL, whatever it did to get away.
 *
 * When the connection breaks, commands go on; the next connection finds them by their key. Only when what claimed a key
 * is gone without a result is the answer `unknown`.
 */
export class ServedSandbox implements Sandbox {
  readonly #servers: CommandServers;
  #connection: Promise<Connection> | null = null;
  #closed: string | null = null;

  constructor(servers: CommandServers) {
    this.#servers = servers;
  }

  get tree(): string {
    return this.#servers.tree;
  }

  get scratch(): string {
    return this.#servers.scratch;
  }

  /** Starts a server where none is connected. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /** Drops the connection; what runs goes on. With `forGood`, every further call throws SandboxLost. */
  disconnect(reason: string, forGood = false): void {
    if (forGood) this.#closed = reason;
    const connection = this.#connection;
    this.#connection = null;
    // One that is still being made is of no use to anybody; whoever waits for it hears why it failed.
    connection?.then((made) => made.close(reason)).catch(() => {});
  }

  async run(command: SandboxCommand, signal: AbortSignal): Promise<CommandResult> {
    signal.throwIfAborted();
    const name = fileName(command.key);
    const timeoutMs = Math.min(Math.max(1, Math.round(command.timeoutMs)), MAX_TIMEOUT_MS);
    const keepBytes = Math.min(Math.max(0, Math.floor(command.keepBytes)), MAX_KEEP_BYTES);
    const env = Object.entries(command.env ?? {});
    const unfit = env.find(([variable]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable));
    if (unfit)
      throw new Error(`Command ${command.key}: ${JSON.stringify(unfit[0])} cannot name an environment variable.`);
    const session = command.session === undefined ? "" : fileName(command.session);
    const fields = ["run", name, session, timeoutMs, keepBytes, command.script, ...env.flat()];
    const answer = this.#ask(fields, timeoutMs + COMMAND_SLACK_MS, signal);
    return commandResult(await this.#orCancelled(answer, name, signal), command.key);
  }

  async read(path: string, maxBytes: number, signal: AbortSignal): Promise<FileRead> {
    const most = Math.max(0, Math.floor(maxBytes));
    const reply = await untilAborted(this.#ask(["read", path, most], FILE_LIMIT_MS, signal, undefined, most), signal);
    switch (reply.status) {
      case "file":
        return { kind: "file", content: Buffer.concat(reply.parts), totalBytes: numberOf(reply.fields[0]) };
      case "directory":
        return { kind: "directory", entries: reply.fields.map(String) };
      case "missing":
      case "outside":
      case "not-regular":
        return { kind: reply.status };
      default:
        throw unexpected(reply, `reading ${path}`);
    }
  }

  async write(
    path: string,
    content: Uint8Array,
    options: { key?: string; mode?: number },
    signal: AbortSignal,
  ): Promise<FileWrite> {
    const fields = ["write", options.key === undefined ? "" : fileName(options.key), path, options.mode ?? ""];
    const reply = await untilAborted(this.#ask(fields, FILE_LIMIT_MS, signal, content), signal);
    switch (reply.status) {
      case "record":
        if (isWrite(reply)) return { kind: "written" };
        throw new Error(`The key ${options.key} has been used for a command, so no file can be written under it.`);
      case "outside":
      case "not-regular":
        return { kind: reply.status };
      case "no-space":
        return { kind: "no-space", message: String(reply.fields[0]) };
      default:
        throw unexpected(reply, `writing ${path}`);
    }
  }

  async changedSince(mark: string, signal: AbortSignal): Promise<boolean> {
    const reply = await untilAborted(this.#ask(["since", mark], FILE_LIMIT_MS, signal), signal);
    if (reply.status === "changed" || reply.status === "unchanged") return reply.status === "changed";
    throw unexpected(reply, `looking for changes since ${mark}`);
  }

  /** What is still running under the key is waited for. */
  async journal(key: string, signal: AbortSignal): Promise<CommandResult | FileWrite | null> {
    const reply = await untilAborted(this.#ask(["journal", fileName(key)], MAX_TIMEOUT_MS, signal), signal);
    if (reply.status === "none") return null;
    if (reply.status === "record" && isWrite(reply)) return { kind: "written" };
    return commandResult(reply, key);
  }

  /** Ends everything that runs in the sandbox; for sandboxes that do not end with a container. */
  async endEverything(): Promise<void> {
    await this.#ask(["end"], COMMAND_SLACK_MS, never);
  }

  /** Asks, on a new connection when one breaks: every question may be asked again. */
  async #ask(
    fields: readonly Field[],
    limitMs: number,
    signal: AbortSignal,
    content?: Uint8Array,
    maxPartBytes = 0,
  ): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const connection = await this.#connected();
        const reply = await connection.ask(fields, limitMs, content, maxPartBytes);
        // Of two that claimed one key, the first gave up before anything had happened.
        if (reply.status === "none" && fields[0] !== "journal" && attempt < ATTEMPTS) continue;
        return reply;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        if (attempt < ATTEMPTS && this.#closed === null) continue;
        throw new SandboxLost(
          `${this.#servers.name} was lost: ${error.message} It is built anew when it is opened again.`,
          { cause: error },
        );
      }
    }
  }

  async #connected(): Promise<Connection> {
    if (this.#closed !== null)
      throw new SandboxLost(`${this.#servers.name} is gone: ${this.#closed} It is built anew when it is opened again.`);
    const known = this.#connection;
    if (known) {
      const connection = await known;
      if (!connection.isLost) return connection;
      // Of all who find it lost, the first begins a new one, and the others wait for that.
      if (this.#connection === known) this.#connection = null;
    }
    this.#connection ??= this.#begin();
    return this.#connection;
  }

  #begin(): Promise<Connection> {
    const connection = this.#servers.connect();
    // A failure is told to those who wait for it; the next question tries again.
    connection.catch(() => {
      if (this.#connection === connection) this.#connection = null;
    });
    return connection;
  }

  /**
   * When the signal fires, the command is ended first, so that nothing of it runs on behind the caller's back; unless another goes on
   * with it, who asks for it by the same key.
   */
  async #orCancelled(answer: Promise<Reply>, name: string, signal: AbortSignal): Promise<Reply> {
    try {
      return await untilAborted(answer, signal);
    } catch (error) {
      if (!signal.aborted || signal.reason instanceof LeftToAnother) throw error;
      const cancelled = this.#ask(["cancel", name], CANCEL_LIMIT_MS, never);
      await Promise.race([Promise.allSettled([cancelled, answer]), sleep(CANCEL_LIMIT_MS, undefined, { ref: false })]);
      throw signal.reason;
    }
  }
}

/** Keys are anything; the names of files are not. */
function fileName(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 40);
}

function isWrite(reply: Reply): boolean {
  return reply.fields[0]?.toString() === "write";
}

function commandResult(reply: Reply, key: string): CommandResult {
  if (reply.status !== "record") throw unexpected(reply, `command ${key}`);
  if (isWrite(reply)) throw new Error(`The key ${key} has been used for a file, so no command can run under it.`);
  const [, kind, exitCode, durationMs, totalBytes, head, tail] = reply.fields;
  const result = {
    output: { head: head as Buffer, tail: tail as Buffer, totalBytes: numberOf(totalBytes) },
    durationMs: numberOf(durationMs),
  };
  switch (kind?.toString()) {
    case "exited":
      return { kind: "exited", exitCode: numberOf(exitCode), ...result };
    case "timed-out":
      return { kind: "timed-out", ...result };
    default:
      return { kind: "unknown", ...result };
  }
}

function unexpected(reply: Reply, doing: string): Error {
  const told = reply.fields[0]?.toString().trim() ?? "";
  if (reply.status === "busy") return new ServiceUnavailable("sandbox", `${doing}: ${told}`);
  return new SandboxLost(`${doing}: the sandbox cannot do its work: ${told || reply.status}`);
}

function numberOf(field: Buffer | undefined): number {
  return Number(field?.toString());
}
