/**
 * A sandbox's objects come in. Nothing of the mirror changes until all checks have passed: the pack is unpacked into a
 * folder of its own, with the mirror's objects behind it to read from (as `git receive-pack` does it).
 */
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { ServiceUnavailable, UnacceptableObjects } from "../../../domain/errors.ts";
import { readBundleHead } from "./bundle.ts";
import { lastLines } from "./faults.ts";
import { FORGIVEN_UPSTREAM } from "./hardening.ts";
import { keep } from "./kept.ts";
import { withScratch, type Tools } from "./tools.ts";

/** More objects than any change needs; a pack's header can claim four thousand millions. */
const MAX_OBJECTS = 2_000_000;

/**
 * A few bytes of delta can describe an object of many gigabytes. Git gives up at the first allocation over this; blobs
 * over `core.bigFileThreshold` that are stored whole are streamed and need none.
 */
const ALLOCATION_LIMIT = "256m";

/** What a sandbox hands back is checked without exception. */
export const FROM_SANDBOX = "badFilemode=error" as Strictness;
/** What another machine's mirror hands on came from upstream, where old mistakes were let through already. */
export const FROM_UPSTREAM = FORGIVEN_UPSTREAM.map((id) => `${id}=ignore`).join(",") as Strictness;
type Strictness = string & { readonly strictness: unique symbol };

/** @returns the commit that the bundle's one ref names. @throws UnacceptableObjects with the reason. */
export async function take(
  tools: Tools,
  gitDir: string,
  bundle: Uint8Array,
  strictness: Strictness,
  signal: AbortSignal,
): Promise<string> {
  if (bundle.byteLength > tools.limits.maxBundleBytes) {
    throw new UnacceptableObjects(
      `The bundle has ${bundle.byteLength} bytes; at most ${tools.limits.maxBundleBytes} are taken.`,
    );
  }
  const head = readBundleHead(bundle);
  const [ref, ...others] = head.refs;
  if (!ref || others.length > 0)
    throw new UnacceptableObjects(`The bundle carries ${head.refs.length} refs; exactly one is taken.`);
  if (head.objects > MAX_OBJECTS)
    throw new UnacceptableObjects(`The bundle claims ${head.objects} objects; at most ${MAX_OBJECTS} are taken.`);
  await checkPrerequisites(tools, gitDir, head.prerequisites, signal);

  await withScratch(gitDir, async (folder) => {
    await mkdir(join(folder, "pack"));
    const env = {
      GIT_OBJECT_DIRECTORY: folder,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: join(gitDir, "objects"),
      GIT_ALLOC_LIMIT: ALLOCATION_LIMIT,
    };
    const config = [["pack.threads", "1"]] as const;
    const check = async (args: string[], input?: Uint8Array | string) => {
      const result = await tools.run(gitDir, args, signal, { env, config, ...(input === undefined ? {} : { input }) });
      if (result.exitCode === 0) return result.stdout;
      const said = lastLines(result.stderr);
      if (/no space left on device/i.test(said))
        throw new ServiceUnavailable("git", `The worker's disk is full: ${said} Make room under MERGEWRIGHT_HOME.`);
      throw new UnacceptableObjects(
        `The sandbox's objects were refused: ${said || `git ${args[0]} ended with ${result.exitCode ?? "a signal"}`}`,
      );
    };
    // --strict: every object is well-formed (no `.git`, `..` or their other spellings in a tree) and finds what it points to.
    if (head.objects > 0) {
      await check(
        [
          "index-pack",
          "--stdin",
          "--fix-thin",
          `--strict=${strictness}`,
          `--max-input-size=${tools.limits.maxBundleBytes}`,
        ],
        bundle.subarray(head.packStart),
      );
    }
    const type = (await check(["cat-file", "-t", ref.commit])).toString().trim();
    if (type !== "commit") throw new UnacceptableObjects(`The bundle's ref names a ${type}; it must name a commit.`);
    const known = head.prerequisites.map((commit) => `^${commit}\n`).join("");
    await check(["rev-list", "--objects", "--quiet", "--stdin"], `${ref.commit}\n${known}`);
    await checkSize(ref.commit, env);
    await adopt(folder, gitDir);
  });
  await keep(tools, gitDir, ref.commit, signal);
  return ref.commit;

  /**
   * A tree can name itself ten times on ten levels: ten thousand million files in a few kilobytes. A listing is streamed and can be
   * stopped; a diff gathers them all in memory first, so it must never meet one.
   */
  async function checkSize(commit: string, env: Readonly<Record<string, string>>): Promise<void> {
    const listing = await tools.run(gitDir, ["ls-tree", "-r", "-t", "-z", "--name-only", commit], signal, { env });
    if (listing.stdoutCut) {
      throw new UnacceptableObjects(
        `The sandbox's tree lists more than ${tools.limits.maxListingBytes} bytes of paths, which no project has.`,
      );
    }
    if (listing.exitCode !== 0)
      throw new UnacceptableObjects(`The sandbox's tree cannot be listed: ${lastLines(listing.stderr)}`);
  }
}

async function checkPrerequisites(tools: Tools, gitDir: string, commits: string[], signal: AbortSignal): Promise<void> {
  if (commits.length === 0) return;
  const answer = await tools.ok(gitDir, ["cat-file", "--batch-check=%(objectname) %(objecttype)"], signal, {
    input: `${commits.join("\n")}\n`,
  });
  const missing = answer
    .toString()
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith(" commit"));
  if (missing.length > 0) {
    throw new UnacceptableObjects(
      `The bundle builds on ${missing[0]!.split(" ")[0]}, which this mirror does not hold. Fetch the base and take the earlier bundles first, in order.`,
    );
  }
}

/** The pack before its index: a reader of the mirror finds a pack by its index, and then it must be whole. */
async function adopt(folder: string, gitDir: string): Promise<void> {
  const order = [".pack", ".rev", ".idx"];
  const names = (await readdir(join(folder, "pack"))).filter((name) => order.some((end) => name.endsWith(end)));
  await mkdir(join(gitDir, "objects", "pack"), { recursive: true });
  for (const end of order) {
    for (const name of names)
      if (name.endsWith(end)) await rename(join(folder, "pack", name), join(gitDir, "objects", "pack", name));
  }
}
