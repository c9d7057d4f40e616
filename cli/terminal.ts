/** What a command may use of the world: its streams, its environment, and how to write for people. */
import { stripVTControlCharacters, styleText } from "node:util";
import type { Environment } from "../config/environment.ts";

type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  env: Environment;
  cwd: string;
  /** One JSON document on standard output, and nothing else there. */
  json: boolean;
  /** A line on standard output. */
  out(line: string): void;
  /** A line on standard error. */
  err(line: string): void;
  /** The one document of `--json`. */
  document(value: unknown): void;
  /** Only on a terminal, and where NO_COLOR is not set. */
  style(style: Style, text: string): string;
}

export function createTerminal(env: Environment, json: boolean): Terminal {
  const { stdout, stderr } = process;
  // Whoever reads us may stop reading (`| head`): that is no failure.
  for (const stream of [stdout, stderr]) stream.on("error", ignoreClosedPipe);
  const colours = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return {
    env,
    cwd: process.cwd(),
    json,
    out: (line) => void stdout.write(`${colours ? line : stripVTControlCharacters(line)}\n`),
    err: (line) =>
      void stderr.write(`${stderr.isTTY === true && !env.NO_COLOR ? line : stripVTControlCharacters(line)}\n`),
    document: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    style: (style, text) => (colours ? styleText(style, text) : text),
  };
}

/** Text of strangers, safe for a terminal: no control characters, none that turn the direction of writing. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Bidi_Control}]+/gu, " ");
}

/** Columns as wide as their widest cell; the last one is cut where the terminal ends. */
export function table(rows: readonly (readonly string[])[], width: number = process.stdout.columns || 120): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, bare(cell).length)));
  return rows.map((row) => {
    const line = row
      .map((cell, column) => cell + " ".repeat(widths[column]! - bare(cell).length))
      .join("  ")
      .trimEnd();
    return bare(line).length > width && bare(line) === line ? `${line.slice(0, width - 1)}…` : line;
  });
}

function bare(text: string): string {
  return stripVTControlCharacters(text);
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}
