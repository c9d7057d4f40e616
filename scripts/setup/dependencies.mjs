/** Brings `node_modules` to what package-lock.json says, and does nothing when it stands there already. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { runCommand } from "./run-command.mjs";

const INSTALL_MS = 20 * 60_000;

/**
 * Returns whether anything was installed. Two at once wait for each other; an install that was interrupted is repeated.
 * @param {{ root: string, log: import("./progress.mjs").StepLog, npm?: readonly string[] }} options
 * @returns {Promise<"present" | "installed">}
 */
export async function ensureDependencies({ root, log, npm = npmCommand() }) {
  if (await isStamped(root)) return "present";
  return await withLock(
    join(root, ".mergewright", "dependencies.lock"),
    async ({ recovered }) => {
      if (recovered) log.line("an earlier installation was interrupted: starting it again");
      else if ((await isStamped(root)) || (await adopt(root))) return "present";
      await install(root, log, npm);
      return "installed";
    },
    (owner) => log.line(`${owner} is already installing: waiting`),
  );
}

/** The npm that runs us, when one does: it need not be the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  return running && /npm-cli\.c?js$/.test(running) ? [process.execPath, running] : ["npm"];
}

/**
 * @param {string} root
 * @param {import("./progress.mjs").StepLog} log
 * @param {readonly string[]} npm
 */
async function install(root, log, npm) {
  await rm(stampPath(root), { force: true });
  const [program = "npm", ...before] = npm;
  const attempt = async () => {
    log.live("npm ci");
    // `--include=dev`: NODE_ENV=production must not leave the tests without their tools.
    return await runCommand(program, [...before, "ci", "--include=dev", "--no-audit", "--no-fund"], {
      cwd: root,
      timeoutMs: INSTALL_MS,
    });
  };
  let end = await attempt();
  if (end.exitCode !== 0 && !end.timedOut && !/code EUSAGE/.test(end.output)) {
    log.line(`npm ci failed, trying once more: ${errorOf(end.output)}`);
    end = await attempt();
  }
  if (end.timedOut)
    throw new SetupError(
      `\`npm ci\` did not end within ${INSTALL_MS / 60_000} minutes. Is the package registry reachable?`,
    );
  if (end.exitCode !== 0) {
    throw new SetupError(
      `\`npm ci\` failed in ${root}:\n${indent(end.output)}\nRun it by hand to see more; it needs the package registry.`,
    );
  }
  await writeStamp(root);
}

/**
 * Somebody ran `npm install` or `npm ci` themselves: npm's own record says what stands in node_modules. It is written
 * when an installation has ended, so an interrupted one leaves none.
 * @param {string} root
 */
async function adopt(root) {
  const wanted = await readJson(join(root, "package-lock.json"));
  const present = await readJson(join(root, "node_modules", ".package-lock.json"));
  if (!wanted?.packages || !present?.packages) return false;
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (path === "" || entry.link) continue;
    const found = present.packages[path];
    if (!found && (entry.optional || entry.devOptional || entry.peer)) continue;
    if (found?.version !== entry.version || found?.integrity !== entry.integrity) return false;
  }
  await writeStamp(root);
  return true;
}

/** @param {string} root */
async function isStamped(root) {
  const stamp = await readJson(stampPath(root));
  return stamp !== null && stamp.lock === (await lockHash(root)) && stamp.platform === platform();
}

/** @param {string} root */
async function writeStamp(root) {
  await mkdir(dirname(stampPath(root)), { recursive: true });
  await writeFile(stampPath(root), JSON.stringify({ lock: await lockHash(root), platform: platform() }));
}

/** @param {string} root */
function stampPath(root) {
  return join(root, "node_modules", ".mergewright-setup");
}

/** Native packages differ by platform: a node_modules that came with a copied folder is not ours. */
function platform() {
  return `${process.platform}-${process.arch}`;
}

/** @param {string} root */
async function lockHash(root) {
  return createHash("sha256")
    .update(await readFile(join(root, "package-lock.json")))
    .digest("hex");
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return null;
  }
}

/**
 * The first line of npm's complaint that says something: its code stands above it, its help text below.
 * @param {string} output
 */
function errorOf(output) {
  return (
    complaints(output).find((line) => !line.startsWith("code ")) ?? output.trim().split("\n").at(-1) ?? "no output"
  );
}

/** @param {string} output */
function indent(output) {
  const lines = complaints(output);
  return (lines.length > 0 ? lines : output.trim().split("\n").slice(-10))
    .slice(0, 10)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** @param {string} output */
function complaints(output) {
  return [...output.matchAll(/^npm (?:error|ERR!) +(.*\S)/gm)].map(([, text = ""]) => text);
}
