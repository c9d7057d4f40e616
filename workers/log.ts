/** One log for everything: JSON lines, or readable ones on a terminal, with run and issue in each and no secret in any. */
import { Runtime, type Logger as TemporalLogger } from "@temporalio/worker";
import { pino, type Logger } from "pino";
import { prettyFactory } from "pino-pretty";
import type { LogLevel } from "../config/config.ts";
import { parseIssueWorkflowId, runIdOfWorkflow } from "../domain/ids.ts";
import { nondeterminismIn, UNFIT_MEND } from "../domain/unfit.ts";
import { createRedactor, redactDeep } from "./redact.ts";

export type Log = Logger;

export interface LogOptions {
  level: LogLevel;
  /** Values that must not appear in any line. */
  secrets?: readonly string[];
  /** Default: standard output. */
  output?: NodeJS.WritableStream & { isTTY?: boolean };
  /** Lines for people instead of JSON. Default: when the output is a terminal. */
  pretty?: boolean;
}

export function createLog({ level, secrets = [], output = process.stdout, pretty: readable }: LogOptions): Log {
  const clean = createRedactor(secrets);
  const forPeople = readable ?? output.isTTY === true;
  // Formatted in step, not in a stream of its own: the last line before an exit must not be lost.
  const format = forPeople
    ? prettyFactory({ colorize: output.isTTY === true, translateTime: "SYS:HH:MM:ss.l", ignore: "pid,hostname" })
    : (line: string) => line;
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    { write: (line: string) => void output.write(format(cleanLine(line, clean))) },
  );
}

/** A log for one run: `run` is the workflow's id, `issue` is `owner/repo#number`. */
export function logOfRun(log: Log, workflowId: string): Log {
  return log.child(runFields(workflowId));
}

/** `run` and `issue` of a workflow id, also of an agent's within a run; nothing where the id is another's. */
export function runFields(workflowId: string): { run?: string; issue?: string } {
  const run = runIdOfWorkflow(workflowId);
  const found = run === null ? null : parseIssueWorkflowId(run);
  return run !== null && found ? { run, issue: `${found.repository}#${found.issue}` } : {};
}

/**
 * Sends what Temporal's SDK and its native core say into our log. Once in a process, before the first worker or
 * native connection; a second call is ignored, as the runtime cannot be changed.
 */
export function installTemporalLog(log: Log): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: temporalLogger(log.child({ part: "temporal" })),
    telemetryOptions: { logging: { forward: {}, filter: { core: "WARN", other: "ERROR" } } },
    // Signals are handled by whoever started us; the runtime must not stop workers behind their back.
    shutdownSignals: [],
  });
}

let installed = false;

const LEVELS = { TRACE: "trace", DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const;

/** The adapter alone, for whoever installs a runtime of their own. */
export function temporalLogger(log: Log): TemporalLogger {
  const write = (level: keyof typeof LEVELS, message: string, meta: Record<string | symbol, unknown> = {}): void => {
    const unfit = typeof meta.failure === "string" ? nondeterminismIn(meta.failure) : null;
    if (unfit !== null)
      log.error({ runId: meta.runId, reason: unfit }, `a run does not fit this version. ${UNFIT_MEND}`);
    else if (log.isLevelEnabled(LEVELS[level])) log[LEVELS[level]](fieldsOf(meta), message);
  };
  return {
    log: write,
    trace: (message, meta) => write("TRACE", message, meta),
    debug: (message, meta) => write("DEBUG", message, meta),
    info: (message, meta) => write("INFO", message, meta),
    warn: (message, meta) => write("WARN", message, meta),
    error: (message, meta) => write("ERROR", message, meta),
  };
}

/** What helps a reader; the rest of Temporal's metadata says the same again. */
const NOISE = new Set(["namespace", "taskQueue", "isLocal", "taskToken", "sdkComponent", "timestampNanos"]);

function fieldsOf(meta: Record<string | symbol, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = typeof meta.workflowId === "string" ? runFields(meta.workflowId) : {};
  for (const [key, value] of Object.entries(meta)) {
    if (NOISE.has(key)) continue;
    if (key === "error" || value instanceof Error) fields.err = value;
    else fields[key] = typeof value === "bigint" ? value.toString() : value;
  }
  return fields;
}

function cleanLine(line: string, clean: (text: string) => string): string {
  try {
    return `${JSON.stringify(redactDeep(JSON.parse(line), clean))}\n`;
  } catch {
    // Not JSON: a line as it is, cleaned as a whole.
    return clean(line);
  }
}
