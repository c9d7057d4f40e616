/** One commit goes to one branch of ours, and the branch is read back when the answer was lost. */
import { RequestRefused, ServiceUnavailable } from "../../../domain/errors.ts";
import type { PushInput, PushResult } from "../../../domain/ports.ts";
import { lastLines, remoteFault } from "./faults.ts";
import type { GitResult } from "./git.ts";
import { checkBranch, checkCommit } from "./names.ts";
import type { Remote } from "./remote.ts";
import { overNetwork, type Tools } from "./tools.ts";

/** A run pushes nothing else; so no mistake, and no branch name from outside, can reach a branch of people. */
const OUR_BRANCHES = "mergewright/";

export async function push(
  tools: Tools,
  gitDir: string,
  remote: Remote,
  what: string,
  input: PushInput,
  signal: AbortSignal,
): Promise<PushResult> {
  const branch = checkBranch(input.branch);
  if (!branch.startsWith(OUR_BRANCHES)) {
    throw new RequestRefused(
      "git",
      422,
      `${JSON.stringify(branch)} is not a branch of ours: only ${OUR_BRANCHES}* is ever pushed.`,
    );
  }
  const commit = checkCommit(input.commit, "The commit");
  const expected = input.expected === null ? "" : checkCommit(input.expected, "The expected commit");
  const ref = `refs/heads/${branch}`;
  // The lease is a compare-and-swap on the server: empty means that the branch must not exist.
  const args = [
    "push",
    "--porcelain",
    "--no-verify",
    "--no-follow-tags",
    "--no-recurse-submodules",
    `--force-with-lease=${ref}:${expected}`,
    "--",
    remote.url,
    `${commit}:${ref}`,
  ];
  const network = overNetwork(tools, remote);

  let result: GitResult;
  try {
    result = await tools.run(gitDir, args, signal, network);
  } catch (error) {
    // Our own time limit: the server may have taken it all the same.
    if (!(error instanceof ServiceUnavailable)) throw error;
    return readBack(error);
  }
  const line = outcome(result.stdout.toString("utf8"), ref);
  if (line?.flag === "=") return { kind: "already-there" };
  if (line && line.flag !== "!" && result.exitCode === 0) return { kind: "pushed" };
  return readBack(line ? rejection(line.summary, result) : remoteFault(what, "push", result));

  /** Whatever was said: what the branch is now decides. */
  async function readBack(fault: Error): Promise<PushResult> {
    const actual = await remoteCommit(tools, gitDir, remote, what, ref, signal);
    if (actual === commit) return { kind: "already-there" };
    if (actual !== input.expected) return { kind: "moved", actual };
    throw fault;
  }

  function rejection(summary: string, failed: GitResult): Error {
    const said = lastLines(`${failed.stderr}\n${summary}`);
    // Two pushes at once: the lease still holds, so the next try decides.
    if (/cannot lock ref|failed to update ref|stale info|incorrect old value/i.test(summary)) {
      return new ServiceUnavailable("git", `${what} did not take the push just now: ${said}`);
    }
    return new RequestRefused(
      "git",
      422,
      `${what} refused the push of ${branch}: ${said} Look at the branch rules of the repository.`,
    );
  }
}

/** The commit of a ref on the other side, or null when there is none. */
export async function remoteCommit(
  tools: Tools,
  gitDir: string,
  remote: Remote,
  what: string,
  ref: string,
  signal: AbortSignal,
): Promise<string | null> {
  const result = await tools.run(
    gitDir,
    ["ls-remote", "--refs", "--", remote.url, ref],
    signal,
    overNetwork(tools, remote),
  );
  if (result.exitCode !== 0) throw remoteFault(what, "ls-remote", result);
  for (const line of result.stdout.toString("utf8").split("\n")) {
    const [commit, name] = line.split("\t");
    if (name === ref && commit) return commit;
  }
  return null;
}

/** The line of `--porcelain` about our ref: `FLAG \t FROM:TO \t SUMMARY`. */
function outcome(stdout: string, ref: string): { flag: string; summary: string } | null {
  for (const line of stdout.split("\n")) {
    const match = /^(.)\t[^\t]*:([^\t]+)\t(.*)$/.exec(line);
    if (match && match[2] === ref) return { flag: match[1]!, summary: match[3]! };
  }
  return null;
}
