/** Reading commits and writing ours, by plumbing: no working tree, no filters, nothing of the repository is ever run. */
import { join } from "node:path";
import type { CommitInput } from "../../../domain/ports.ts";
import { RequestRefused } from "../../../domain/errors.ts";
import { keep } from "./kept.ts";
import { checkCommit } from "./names.ts";
import { withScratch, type Tools } from "./tools.ts";

interface Entry {
  mode: string;
  type: string;
  object: string;
  path: string;
}

/** Arguments of one process have a limit (128 kB each, 2 MB together on Linux). */
const PATHS_AT_ONCE = 200;

/** All paths. One that is not UTF-8 cannot be asked for by name and is left out. */
export async function paths(tools: Tools, gitDir: string, commit: string, signal: AbortSignal): Promise<string[]> {
  const listing = await tools.ok(
    gitDir,
    ["ls-tree", "-r", "-z", "--name-only", "--full-tree", checkCommit(commit, "The commit")],
    signal,
  );
  return fields(listing).flatMap((bytes) => utf8OrNull(bytes) ?? []);
}

/** Regular files with exactly these paths; links, folders, submodules and missing ones are left out. */
export async function files(
  tools: Tools,
  gitDir: string,
  commit: string,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Uint8Array>> {
  const entries = (await find(tools, gitDir, checkCommit(commit, "The commit"), wanted, signal)).filter(isRegular);
  const found = new Map<string, Uint8Array>();
  if (entries.length === 0) return found;
  const input = entries.map((entry) => `${entry.object}\n`).join("");
  const answer = await tools.ok(gitDir, ["cat-file", "--batch=%(objectsize)"], signal, { input });
  let at = 0;
  for (const entry of entries) {
    const end = answer.indexOf(0x0a, at);
    const size = Number(answer.toString("latin1", at, end));
    found.set(entry.path, new Uint8Array(answer.subarray(end + 1, end + 1 + size)));
    at = end + 1 + size + 1;
  }
  return found;
}

/** Objects come in whole or not at all (`take.ts`, fetch), so a commit that is there has all that it needs. */
export async function holds(tools: Tools, gitDir: string, commit: string, signal: AbortSignal): Promise<boolean> {
  const { exitCode } = await tools.run(gitDir, ["cat-file", "-e", `${commit}^{commit}`], signal);
  return exitCode === 0;
}

/** Who wrote what `head` has and `base` has not. */
export async function authors(
  tools: Tools,
  gitDir: string,
  base: string,
  head: string,
  signal: AbortSignal,
): Promise<string[]> {
  const range = [checkCommit(head, "The head"), `^${checkCommit(base, "The base")}`];
  const listing = await tools.ok(gitDir, ["log", "-z", "--format=%ae%x00%ce", ...range, "--"], signal);
  return [...new Set(fields(listing).map((bytes) => bytes.toString("utf8")))];
}

/** Writes one commit. Author, committer and date are the input's, so that the same input makes the same commit. */
export async function commit(tools: Tools, gitDir: string, input: CommitInput, signal: AbortSignal): Promise<string> {
  const when = Date.parse(input.date);
  if (Number.isNaN(when))
    throw new RequestRefused("git", 422, `${JSON.stringify(input.date)} is not a date: write ISO 8601.`);
  if (input.message.includes("\0"))
    throw new RequestRefused("git", 422, "A commit message cannot hold a NUL character.");
  const treeOf = checkCommit(input.treeOf, "treeOf");
  const tree = (await tools.ok(gitDir, ["rev-parse", "--verify", "--end-of-options", `${treeOf}^{tree}`], signal))
    .toString()
    .trim();
  return write(tools, gitDir, tree, { ...input, seconds: Math.floor(when / 1000) }, signal);
}

/** What `overlay` signs with: it is only ever checked out in a sandbox, and must be the same commit each time. */
const NOBODY = { name: "Mergewright", email: "mergewright@localhost" };

export async function overlay(
  tools: Tools,
  gitDir: string,
  input: { onto: string; from: string; paths: readonly string[] },
  signal: AbortSignal,
): Promise<string> {
  const onto = checkCommit(input.onto, "onto");
  const from = await find(tools, gitDir, checkCommit(input.from, "from"), input.paths, signal);
  const present = new Map(from.filter((entry) => entry.type !== "tree").map((entry) => [entry.path, entry]));
  const tree = await withScratch(gitDir, async (folder) => {
    const env = { GIT_INDEX_FILE: join(folder, "index") };
    await tools.ok(gitDir, ["read-tree", onto], signal, { env });
    const unique = [...new Set(input.paths)].filter(canStandInTree);
    // Removals first: a file may have become a folder.
    const gone = unique.filter((path) => !present.has(path)).map((path) => `0 ${"0".repeat(40)}\t${path}\0`);
    const set = unique
      .flatMap((path) => present.get(path) ?? [])
      .map(({ mode, object, path }) => `${mode} ${object}\t${path}\0`);
    await tools.ok(gitDir, ["update-index", "--add", "--replace", "-z", "--index-info"], signal, {
      env,
      input: [...gone, ...set].join(""),
    });
    return (await tools.ok(gitDir, ["write-tree"], signal, { env })).toString().trim();
  });
  const message = `The files of ${input.from.slice(0, 12)} on top of ${onto.slice(0, 12)}\n`;
  return write(tools, gitDir, tree, { message, parents: [onto], author: NOBODY, seconds: 946_684_800 }, signal);
}

async function write(
  tools: Tools,
  gitDir: string,
  tree: string,
  input: { message: string; parents: readonly string[]; author: { name: string; email: string }; seconds: number },
  signal: AbortSignal,
): Promise<string> {
  const date = `@${input.seconds} +0000`;
  const env = {
    GIT_AUTHOR_NAME: input.author.name,
    GIT_AUTHOR_EMAIL: input.author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: input.author.name,
    GIT_COMMITTER_EMAIL: input.author.email,
    GIT_COMMITTER_DATE: date,
  };
  const parents = input.parents.flatMap((parent) => ["-p", checkCommit(parent, "A parent")]);
  const message = input.message.endsWith("\n") ? input.message : `${input.message}\n`;
  const made = (await tools.ok(gitDir, ["commit-tree", ...parents, tree], signal, { env, input: message }))
    .toString()
    .trim();
  await keep(tools, gitDir, made, signal);
  return made;
}

async function find(
  tools: Tools,
  gitDir: string,
  treeish: string,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<Entry[]> {
  const asked = [...new Set(wanted)].filter(canStandInTree);
  const found: Entry[] = [];
  for (let from = 0; from < asked.length; from += PATHS_AT_ONCE) {
    const some = asked.slice(from, from + PATHS_AT_ONCE);
    const listing = await tools.ok(gitDir, ["ls-tree", "-z", "--full-tree", treeish, "--", ...some], signal);
    for (const bytes of fields(listing)) {
      const match = /^(\d{6}) (\w+) ([0-9a-f]{40})\t([^]*)$/.exec(utf8OrNull(bytes) ?? "");
      if (match) found.push({ mode: match[1]!, type: match[2]!, object: match[3]!, path: match[4]! });
    }
  }
  const exact = new Set(asked);
  return found.filter((entry) => exact.has(entry.path));
}

/** Git ends with an error for a path that leads outside; no tree holds one. */
function canStandInTree(path: string): boolean {
  return !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function isRegular(entry: Entry): boolean {
  return entry.type === "blob" && entry.mode.startsWith("100");
}

/** NUL-terminated fields, as bytes. */
export function fields(listing: Buffer): Buffer[] {
  const all: Buffer[] = [];
  let from = 0;
  for (let end = listing.indexOf(0); end >= 0; end = listing.indexOf(0, from)) {
    all.push(listing.subarray(from, end));
    from = end + 1;
  }
  return all;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8OrNull(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}
