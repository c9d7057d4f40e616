/** What a run wants to change, as the host read it from the object store. */

/** More than a reviewer, human or model, reads; what is beyond it is judged by the list of files alone. */
export const MAX_PATCH_BYTES = 1_000_000;

export interface ChangedFile {
  /** The path after the change (before it, for a deleted file), as stored in the tree. */
  path: string;
  /** Set for a rename or copy. */
  oldPath: string | null;
  status: "added" | "modified" | "deleted" | "renamed" | "copied" | "type-changed";
  /** Git's modes: 100644, 100755, 120000 (link), 160000 (submodule), 000000 (none). */
  oldMode: string;
  newMode: string;
  /** Lines; null for a binary file. */
  additions: number | null;
  deletions: number | null;
  /** Bytes after the change; 0 when deleted. */
  newBytes: number;
}

export interface ChangeSet {
  base: string;
  head: string;
  files: ChangedFile[];
  /** Unified diff with three lines of context, cut at `MAX_PATCH_BYTES` (see `patchTruncated`). */
  patch: string;
  patchTruncated: boolean;
}
