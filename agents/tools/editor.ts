/** The tool `str_replace_based_edit_tool`: view, create, str_replace, insert. Each edit happens once, also when it is tried again. */
import { z } from "zod";
import type { FileWrite } from "../../domain/ports.ts";
import { insertLines, numberLines, replaceOnce, snippet } from "./edits.ts";
import { changed, failed, type ToolContext, type ToolResult, wrongArguments } from "./result.ts";
import { viewDirectory, viewFile } from "./view.ts";

const path = z.string().min(1).max(4096);
const Input = z.discriminatedUnion("command", [
  z.object({ command: z.literal("view"), path, view_range: z.tuple([z.int(), z.int()]).nullish() }),
  z.object({ command: z.literal("create"), path, file_text: z.string() }),
  z.object({ command: z.literal("str_replace"), path, old_str: z.string(), new_str: z.string().default("") }),
  z.object({ command: z.literal("insert"), path, insert_line: z.int().min(0), insert_text: z.string() }),
]);
type Edit = Exclude<z.infer<typeof Input>, { command: "view" }>;

/** Larger files are for `sed` and scripts: each edit carries the whole file through the worker. */
const MAX_FILE_BYTES = 2_000_000;

export async function runEditor(input: unknown, context: ToolContext): Promise<ToolResult> {
  const parsed = Input.safeParse(input);
  if (!parsed.success) {
    return wrongArguments(
      "str_replace_based_edit_tool",
      parsed.error,
      "command view {path, view_range?}, create {path, file_text}, str_replace {path, old_str, new_str} or insert {path, insert_line, insert_text}",
    );
  }
  const request = parsed.data;
  if (request.path.includes("\0")) return failed("A path cannot hold a NUL character. Nothing was done.");
  if (request.command === "view") return view(request.path, request.view_range ?? null, context);
  const before = await context.sandbox.journal(context.key, context.signal);
  if (before !== null) return alreadyDone(before, request);
  return edit(request, context);
}

async function view(file: string, range: [number, number] | null, context: ToolContext): Promise<ToolResult> {
  const found = await context.sandbox.read(file, MAX_FILE_BYTES, context.signal);
  if (found.kind === "directory") return viewDirectory(file, found.entries, context);
  if (found.kind !== "file") return failed(PROBLEMS[found.kind](file));
  return viewFile(file, found, range, context.limits.output_characters);
}

/** Computes the new content from the file as it is, and writes it under the call's key. */
async function edit(request: Edit, context: ToolContext): Promise<ToolResult> {
  let content: string;
  let message: string;
  if (request.command === "create") {
    content = request.file_text;
    message = `Wrote ${request.path} (${content === "" ? "empty" : `${content.split("\n").length} lines`}).`;
  } else {
    const found = await context.sandbox.read(request.path, MAX_FILE_BYTES, context.signal);
    if (found.kind !== "file") return failed(PROBLEMS[found.kind](request.path));
    if (found.totalBytes > found.content.length) {
      return failed(
        `${request.path} has ${found.totalBytes} bytes; this tool edits files of up to ${MAX_FILE_BYTES}. Use bash (sed, or a script). Nothing was done.`,
      );
    }
    const text = decodeExactly(found.content);
    if (text === null)
      return failed(
        `${request.path} is not UTF-8 text, and editing it here would damage it. Use bash. Nothing was done.`,
      );
    const edited =
      request.command === "insert"
        ? insertLines(text, request.insert_line, request.insert_text)
        : replaceOnce(text, request.old_str, request.new_str);
    if (edited.kind === "impossible") return failed(`${edited.reason} ${request.path} was not changed.`);
    content = edited.text;
    message = `Edited ${request.path}. It now reads:\n${numberLines(snippet(edited.text, edited.firstLine, edited.lastLine))}`;
  }
  if (/[\ud800-\udfff]/u.test(content))
    return failed("The text holds half a character (a lone surrogate), which no file can. Nothing was done.");
  const written = await context.sandbox.write(
    request.path,
    new TextEncoder().encode(content),
    { key: context.key },
    context.signal,
  );
  return written.kind === "written" ? changed(message) : describeFailure(written, request.path);
}

/** A retried attempt: the journal tells how the first one ended. */
function alreadyDone(
  before: NonNullable<Awaited<ReturnType<ToolContext["sandbox"]["journal"]>>>,
  request: Edit,
): ToolResult {
  if (before.kind === "written")
    return changed(request.command === "create" ? `Wrote ${request.path}.` : `Edited ${request.path}.`);
  if (before.kind === "outside" || before.kind === "not-regular" || before.kind === "no-space")
    return describeFailure(before, request.path);
  return {
    text: `[outcome unknown: the sandbox lost this edit. View ${request.path} and check whether it took effect.]`,
    isError: true,
    mayHaveChanged: true,
  };
}

function describeFailure(written: Exclude<FileWrite, { kind: "written" }>, file: string): ToolResult {
  if (written.kind === "no-space")
    return failed(
      `${file} was not written: the workspace is full (${written.message}). Remove files that you do not need.`,
    );
  return failed(PROBLEMS[written.kind](file));
}

const PROBLEMS: Readonly<Record<"missing" | "outside" | "not-regular" | "directory", (file: string) => string>> = {
  missing: (file) =>
    `${file} does not exist. Paths without a leading / start at the top of the working tree; view a directory to see what is there.`,
  outside: (file) =>
    `${file} is outside the workspace, or leads outside through a link. Only files in the workspace can be read and edited here.`,
  "not-regular": (file) => `${file} is not a regular file.`,
  directory: (file) => `${file} is a directory. Give the path of a file.`,
};

/** null when the bytes are no UTF-8: writing them back would change more than was asked. */
function decodeExactly(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
