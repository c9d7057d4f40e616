/** Which Temporal CLI is asked for, and whether a given program is one that will do. */
import { runCommand } from "./run-command.mjs";

/** What set-up installs. Its server is 1.29.1, the one that the histories under `test/` were recorded with. */
export const TEMPORAL_CLI_VERSION = "1.5.1";

/** The oldest that will do: its server (1.27) has updates, summaries and current details switched on. */
const OLDEST_CLI = "1.3.0";
const OLDEST_SERVER = "1.27.0";

/**
 * @typedef {{ kind: "usable", version: string } | { kind: "unusable", reason: string }} Verdict
 */

/**
 * Runs `PATH --version` and judges the answer.
 * @param {string} path
 * @returns {Promise<Verdict>}
 */
export async function judgeTemporalCli(path) {
  const end = await runCommand(path, ["--version"], { timeoutMs: 10_000 });
  if (end.timedOut) return { kind: "unusable", reason: "`--version` did not end within 10 s" };
  if (end.exitCode !== 0) {
    return { kind: "unusable", reason: `it cannot be run: ${end.lastLine || `exit code ${end.exitCode}`}` };
  }
  const match = /temporal version (\S+)(?: \(Server ([\d.]+))?/i.exec(end.output);
  if (!match) return { kind: "unusable", reason: `it is not a Temporal CLI: \`--version\` says "${end.lastLine}"` };
  const version = match[1] ?? "";
  // A build from source without a version stamp calls itself 0.0.0-DEV; its server's version still tells its age.
  const tooOld = version.startsWith("0.0.0")
    ? isOlder(match[2] ?? OLDEST_SERVER, OLDEST_SERVER)
    : isOlder(version, OLDEST_CLI);
  if (tooOld)
    return { kind: "unusable", reason: `version ${version} is too old, ${OLDEST_CLI} is the oldest that will do` };
  return {
    kind: "usable",
    version: version.startsWith("0.0.0") && match[2] ? `${version}, server ${match[2]}` : version,
  };
}

/**
 * @param {string} version
 * @param {string} than
 */
export function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => (text.match(/\d+/g) ?? []).map(Number));
  for (let i = 0; i < 3; i += 1) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
