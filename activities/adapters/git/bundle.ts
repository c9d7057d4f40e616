/** The head of a Git bundle: a few lines of text before the pack, read and written here so that git gets a pack alone. */
import { UnacceptableObjects } from "../../../domain/errors.ts";

export interface BundleHead {
  /** Commits that the receiver must have already. */
  prerequisites: string[];
  refs: { name: string; commit: string }[];
  /** Where the pack begins, in bytes. */
  packStart: number;
  /** As the pack's own header claims. */
  objects: number;
}

/** Generous for one ref and its prerequisites; a sandbox must not make the worker parse a megabyte of head. */
const MAX_HEAD_BYTES = 256 * 1024;

/** @see https://git-scm.com/docs/gitformat-bundle */
export function readBundleHead(bundle: Uint8Array): BundleHead {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const prerequisites: string[] = [];
  const refs: BundleHead["refs"] = [];
  let at = 0;
  const nextLine = (): string => {
    const end = bytes.subarray(at, MAX_HEAD_BYTES).indexOf(0x0a);
    if (end < 0)
      throw new UnacceptableObjects("The bundle is broken: its head does not end. Was it cut off on the way?");
    const line = bytes.toString("utf8", at, at + end);
    at += end + 1;
    return line;
  };

  const signature = nextLine();
  const version = /^# v([23]) git bundle$/.exec(signature)?.[1];
  if (version === undefined)
    throw new UnacceptableObjects("The bundle is broken: it does not begin with a bundle's signature.");
  for (let line = nextLine(); line !== ""; line = nextLine()) {
    if (version === "3" && line.startsWith("@")) {
      if (line !== "@object-format=sha1")
        throw new UnacceptableObjects(
          `The bundle needs ${JSON.stringify(line.slice(0, 60))}, which is not accepted: make a plain one with git bundle create.`,
        );
      continue;
    }
    const entry = /^(-?)([0-9a-f]{40})(?: (.*))?$/.exec(line);
    if (!entry)
      throw new UnacceptableObjects(
        `The bundle is broken: ${JSON.stringify(line.slice(0, 80))} is no line of a bundle's head.`,
      );
    if (entry[1] === "-") prerequisites.push(entry[2]!);
    else refs.push({ commit: entry[2]!, name: entry[3] ?? "" });
  }
  if (bytes.length - at < 32 || bytes.toString("latin1", at, at + 4) !== "PACK") {
    throw new UnacceptableObjects("The bundle is broken: no pack follows its head. Was it cut off on the way?");
  }
  return { prerequisites, refs, packStart: at, objects: bytes.readUInt32BE(at + 8) };
}

export function writeBundleHead(commit: string, ref: string, prerequisites: readonly string[] = []): Buffer {
  const needed = prerequisites.map((each) => `-${each}\n`).join("");
  return Buffer.from(`# v2 git bundle\n${needed}${commit} ${ref}\n\n`, "utf8");
}
