/** Reads the final text of roles that answer with data. A wrong answer becomes a sentence that can be sent back to Claude. */
import type Anthropic from "@anthropic-ai/sdk";
import type { z } from "zod";
import type { Review } from "../domain/outputs.ts";

export type Answer<T> = { kind: "answer"; value: T } | { kind: "wrong"; say: string };

/** Parses and checks. Structured outputs hold the shape, but not when a reply was cut off, refused, or came another way. */
export function readAnswer<T>(schema: z.ZodType<T>, text: string): Answer<T> {
  const json = parseJson(text);
  if (json === undefined)
    return wrong(text.trim() === "" ? "Your answer was empty." : "Your answer was not one whole JSON document.");
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: "answer", value: parsed.data };
  const problems = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "the document"}: ${issue.message}`);
  return wrong(`Your answer does not fit: ${problems.join("; ")}.`);
}

/** All text of a reply, in order. */
export function textOf(content: readonly Anthropic.ContentBlockParam[]): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

export const MAX_FINDINGS = 6;

/**
 * Keeps what a review may say: at most six findings, the most severe first, each on a line that the change touched. What stands
 * elsewhere cannot be shown on the diff, so its words move to the summary.
 */
export function limitFindings(review: Review, patch: string): Review {
  const lines = changedLines(patch);
  const ranked = review.findings
    .map((finding) => ({ ...finding, path: normalise(finding.path) }))
    .toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
  const onChange = ranked.filter(({ path, line }) => lines.get(path)?.has(line));
  const elsewhere = ranked.filter((finding) => !onChange.includes(finding)).slice(0, MAX_FINDINGS);
  const beside = elsewhere.map(
    ({ path, line, severity, finding }) => `- \`${path}\` line ${line} (${severity}): ${finding}`,
  );
  const summary =
    beside.length > 0 ? `${review.summary}\n\nBeside the changed lines:\n${beside.join("\n")}` : review.summary;
  return { ...review, summary, findings: onChange.slice(0, MAX_FINDINGS) };
}

const RANK = { "must-fix": 0, "should-fix": 1, note: 2 } as const;

/**
 * Lines of the new version that a unified diff added or changed, by path. Next to a deletion both neighbours count: there is no line
 * of its own to point at. Reads hunks by their counts, so that content which looks like a header is content.
 */
export function changedLines(patch: string): Map<string, Set<number>> {
  const files = new Map<string, Set<number>>();
  let current: Set<number> | null = null;
  let line = 0;
  let oldLeft = 0;
  let newLeft = 0;
  for (const text of patch.split("\n")) {
    if (oldLeft > 0 || newLeft > 0) {
      if (text.startsWith("+")) {
        current?.add(line++);
        newLeft--;
      } else if (text.startsWith("-")) {
        if (line > 1) current?.add(line - 1);
        current?.add(line);
        oldLeft--;
      } else if (!text.startsWith("\\")) {
        line++;
        oldLeft--;
        newLeft--;
      }
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
    if (hunk) {
      oldLeft = Number(hunk[1] ?? 1);
      line = Number(hunk[2]);
      newLeft = Number(hunk[3] ?? 1);
    } else if (text.startsWith("diff --git ")) {
      current = null;
    } else if (text.startsWith("+++ ")) {
      const path = headerPath(text.slice(4));
      current = path === null ? null : (files.get(path) ?? new Set());
      if (path !== null && current) files.set(path, current);
    }
  }
  return files;
}

/** `b/path`, `"b/p\303\244th"` as Git quotes it, or null for /dev/null. */
function headerPath(header: string): string | null {
  const text = header.replace(/\t.*$/, "");
  if (text === "/dev/null") return null;
  if (!text.startsWith('"')) return text.replace(/^b\//, "");
  const bytes: number[] = [];
  for (const [, octal, escape, plain] of text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\])/gu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else bytes.push(...new TextEncoder().encode(plain ?? ESCAPES[escape ?? ""] ?? escape ?? ""));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes)).replace(/^b\//, "");
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\u0007", b: "\b", f: "\f", v: "\v" };

function normalise(path: string): string {
  return path.replace(/^(?:\.\/)+/, "");
}

function parseJson(text: string): unknown {
  const whole = text.trim();
  const fenced = /^```(?:json)?\s*\n([^]*)\n```$/.exec(whole)?.[1];
  try {
    return JSON.parse(fenced ?? whole) as unknown;
  } catch {
    return undefined;
  }
}

function wrong(problem: string): { kind: "wrong"; say: string } {
  return {
    kind: "wrong",
    say: `${problem} Answer again with the JSON document that was asked for, complete and with nothing before or after it.`,
  };
}
