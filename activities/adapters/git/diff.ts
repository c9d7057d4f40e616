/** What changed between two commits, read from the object store: modes, renames, lines, sizes, and the patch. */
import { MAX_PATCH_BYTES, type ChangedFile, type ChangeSet } from "../../../domain/change.ts";
import { UnacceptableObjects } from "../../../domain/errors.ts";
import { checkCommit } from "./names.ts";
import { localFault, type Tools } from "./tools.ts";
import { fields, utf8OrNull } from "./tree.ts";

interface RawEntry {
  oldMode: string;
  newMode: string;
  newObject: string;
  status: ChangedFile["status"];
  path: string;
  oldPath: string | null;
}

const STATUS: Readonly<Record<string, ChangedFile["status"]>> = {
  A: "added",
  M: "modified",
  D: "deleted",
  R: "renamed",
  C: "copied",
  T: "type-changed",
};

/** Never what a repository configures: no external diff program, no text conversion. */
const PLAIN = ["-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index"];
const NO_OBJECT = "0".repeat(40);

export async function diff(
  tools: Tools,
  gitDir: string,
  base: string,
  head: string,
  signal: AbortSignal,
): Promise<ChangeSet> {
  const ends = [checkCommit(base, "The base"), checkCommit(head, "The head"), "--"];
  const [listing, patch] = await Promise.all([
    tools.run(gitDir, ["diff-tree", ...PLAIN, "--raw", "--numstat", "-z", ...ends], signal),
    tools.run(gitDir, ["diff-tree", ...PLAIN, "-p", "-U3", "--src-prefix=a/", "--dst-prefix=b/", ...ends], signal, {
      maxStdoutBytes: MAX_PATCH_BYTES,
    }),
  ]);
  if (listing.stdoutCut)
    throw new UnacceptableObjects(
      `The change is too large to be listed: over ${tools.limits.maxListingBytes} bytes of paths.`,
    );
  if (listing.exitCode !== 0) throw localFault("diff-tree", listing);
  if (patch.exitCode !== 0 && !patch.stdoutCut) throw localFault("diff-tree", patch);

  const { entries, lines } = parse(listing.stdout);
  const sizes = await blobSizes(tools, gitDir, entries, signal);
  const files = entries.map(({ newObject, ...entry }): ChangedFile => {
    const counted = lines.get(entry.path);
    return {
      ...entry,
      additions: counted?.additions ?? null,
      deletions: counted?.deletions ?? null,
      newBytes: sizes.get(newObject) ?? 0,
    };
  });
  return { base, head, files, patch: wholeLines(patch.stdout, patch.stdoutCut), patchTruncated: patch.stdoutCut };
}

function parse(listing: Buffer) {
  const all = fields(listing);
  const entries: RawEntry[] = [];
  const lines = new Map<string, { additions: number | null; deletions: number | null }>();
  for (let at = 0; at < all.length;) {
    const first = text(all[at++]!);
    if (first.startsWith(":")) {
      const [oldMode, newMode, , newObject, letter] = first.slice(1).split(" ") as [
        string,
        string,
        string,
        string,
        string,
      ];
      const status = STATUS[letter[0]!] ?? "modified";
      const one = text(all[at++]!);
      const moved = status === "renamed" || status === "copied";
      entries.push({
        oldMode,
        newMode,
        newObject,
        status,
        path: moved ? text(all[at++]!) : one,
        oldPath: moved ? one : null,
      });
    } else {
      const [added, deleted, path] = splitCounts(first);
      // A rename leaves the path empty and puts the old and the new one behind it.
      const name = path === "" ? (at++, text(all[at++]!)) : path;
      lines.set(name, { additions: count(added), deletions: count(deleted) });
    }
  }
  return { entries, lines };
}

function splitCounts(field: string): [string, string, string] {
  const one = field.indexOf("\t");
  const two = field.indexOf("\t", one + 1);
  return [field.slice(0, one), field.slice(one + 1, two), field.slice(two + 1)];
}

/** `-` stands for a binary file. */
function count(digits: string): number | null {
  return digits === "-" ? null : Number(digits);
}

function text(bytes: Buffer): string {
  const decoded = utf8OrNull(bytes);
  if (decoded === null)
    throw new UnacceptableObjects(
      `The change touches a path that is not UTF-8: ${JSON.stringify(bytes.toString("latin1"))}.`,
    );
  return decoded;
}

/** By one process for all. Submodules name commits of another repository, which have no size here. */
async function blobSizes(
  tools: Tools,
  gitDir: string,
  entries: RawEntry[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const objects = [
    ...new Set(entries.filter((entry) => entry.newMode !== "160000").map((entry) => entry.newObject)),
  ].filter((object) => object !== NO_OBJECT);
  if (objects.length === 0) return new Map();
  const answer = await tools.ok(gitDir, ["cat-file", "--batch-check=%(objectname) %(objectsize)"], signal, {
    input: `${objects.join("\n")}\n`,
  });
  return new Map(
    answer
      .toString()
      .split("\n")
      .filter((line) => /^[0-9a-f]{40} \d+$/.test(line))
      .map((line) => [line.slice(0, 40), Number(line.slice(41))]),
  );
}

/** A cut may fall within a line, or within a character. */
function wholeLines(patch: Buffer, cut: boolean): string {
  return (cut ? patch.subarray(0, patch.lastIndexOf(0x0a) + 1) : patch).toString("utf8");
}
