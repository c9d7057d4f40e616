/** The mirror is brought up to date: one branch, with its whole history, every object checked. */
import { createHash } from "node:crypto";
import { GitFailed, NotFound } from "../../../domain/errors.ts";
import { remoteFault } from "./faults.ts";
import { checkBranch } from "./names.ts";
import type { Remote } from "./remote.ts";
import { isLockFault, withoutStaleLocks } from "./stale-locks.ts";
import { overNetwork, type Tools } from "./tools.ts";

/** @throws NotFound where the branch is missing, or the repository has no commit at all. */
export async function fetchBranch(
  tools: Tools,
  gitDir: string,
  remote: Remote,
  what: string,
  branch: string,
  signal: AbortSignal,
): Promise<string> {
  const name = checkBranch(branch);
  const ours = upstreamRef(name);
  const network = overNetwork(tools, remote);
  const options = [
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--quiet",
    "--force",
  ];
  await withoutStaleLocks(gitDir, signal, async () => {
    const result = await tools.run(
      gitDir,
      ["fetch", ...options, "--", remote.url, `refs/heads/${name}:${ours}`],
      signal,
      network,
    );
    if (result.exitCode === 0) return;
    if (/couldn't find remote ref/i.test(result.stderr)) throw await missing(tools, gitDir, remote, what, name, signal);
    if (isLockFault(result.stderr)) throw new GitFailed("fetch", result.exitCode, result.stderr);
    throw remoteFault(what, "fetch", result);
  });
  return (await tools.ok(gitDir, ["rev-parse", "--verify", "--end-of-options", `${ours}^{commit}`], signal))
    .toString()
    .trim();
}

/** A digest, because two branch names may differ by case alone, or one may be a folder of the other. */
function upstreamRef(branch: string): string {
  return `refs/mergewright/upstream/${createHash("sha256").update(branch).digest("hex").slice(0, 32)}`;
}

async function missing(
  tools: Tools,
  gitDir: string,
  remote: Remote,
  what: string,
  branch: string,
  signal: AbortSignal,
): Promise<Error> {
  const result = await tools.run(
    gitDir,
    ["ls-remote", "--heads", "--", remote.url],
    signal,
    overNetwork(tools, remote),
  );
  if (result.exitCode !== 0 && !result.stdoutCut) return remoteFault(what, "ls-remote", result);
  if (result.stdout.length === 0)
    return new NotFound(
      "commit",
      `${what} is empty: it has no commit to start from. Push a first commit to ${branch}.`,
    );
  return new NotFound("branch", `${what} has no branch ${branch}. Was it renamed or deleted?`);
}
