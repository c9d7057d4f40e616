/** The editor's command `view`: a file with line numbers, a directory two levels deep. */
import type { FileRead } from "../../domain/ports.ts";
import { cutMiddle } from "../cut.ts";
import { quote } from "./bash.ts";
import { numberLines } from "./edits.ts";
import { bytesToKeep, cleanTerminal, isBinary, readableOutput } from "./output.ts";
import { done, failed, type ToolContext, type ToolResult } from "./result.ts";

export function viewFile(
  file: string,
  found: Extract<FileRead, { kind: "file" }>,
  range: [number, number] | null,
  limit: number,
): ToolResult {
  if (isBinary(found.content))
    return failed(
      `${file} is a binary file of ${found.totalBytes} bytes. Use bash (file, xxd, strings) to look into it.`,
    );
  const text = new TextDecoder().decode(found.content);
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  const cutOff = found.totalBytes > found.content.length;
  const note = cutOff
    ? `\n[the first ${found.content.length} bytes of ${found.totalBytes}; use bash with sed -n for the rest]`
    : "";
  if (text === "") return done(`[${file} is empty]`);
  const [first, last] = range ?? [1, -1];
  const end = last === -1 ? lines.length : last;
  if (first < 1 || first > lines.length || end < first) {
    return failed(
      `view_range [${first}, ${last}] does not fit: ${file} has ${lines.length} lines${cutOff ? " or more" : ""}. Give [first, last], or [first, -1] for the rest.`,
    );
  }
  const shown = numberLines({ lines: lines.slice(first - 1, end), first });
  const cut = cutMiddle(cleanFile(shown), limit);
  const advice = cut.missing > 0 ? `\n[${lines.length} lines in all; use view_range to see the part left out]` : "";
  return done(cut.text + advice + note);
}

/** Folders whose content nobody wants listed. */
const SKIPPED = [".git", "node_modules", "__pycache__", ".venv"];

export async function viewDirectory(
  path: string,
  entries: readonly string[],
  context: ToolContext,
): Promise<ToolResult> {
  const prune = SKIPPED.map((name) => `-name ${quote(name)}`).join(" -o ");
  const script = `cd -- ${quote(path)} && find . -mindepth 1 -maxdepth 2 \\( ${prune} \\) -prune -print -o -type d -exec printf '%s/\\n' {} \\; -o -print | sed 's|^\\./||' | LC_ALL=C sort`;
  const listing = await context.sandbox.run(
    { key: `${context.key}-view`, script, timeoutMs: 30_000, keepBytes: bytesToKeep(context.limits.output_characters) },
    context.signal,
  );
  const text =
    listing.kind === "exited" && listing.exitCode === 0
      ? readableOutput(listing.output, context.limits.output_characters).trimEnd()
      : [...entries].toSorted().join("\n");
  return done(text === "" ? `[${path} is an empty directory]` : `${path}, two levels deep:\n${text}`);
}

function cleanFile(text: string): string {
  return cleanTerminal(text.replaceAll(/\r(?!\n)/g, "\\r"));
}
