/**
 * Finds a Temporal CLI: TEMPORAL_CLI, PATH, our cache, the official download, a build from source. Each one that does
 * not serve is told in a line. Used by set-up and by `mergewright start`.
 */
import { constants } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { cacheDirectory } from "./cache.mjs";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { silentLog } from "./progress.mjs";
import { buildTemporalCli } from "./temporal-build.mjs";
import { downloadTemporalCli, downloadUrls } from "./temporal-download.mjs";
import { judgeTemporalCli, TEMPORAL_CLI_VERSION } from "./temporal-version.mjs";

/** @typedef {import("./progress.mjs").StepLog} StepLog */

/**
 * @typedef {object} TemporalCli
 * @property {string} path Absolute.
 * @property {string} version
 * @property {"TEMPORAL_CLI" | "PATH" | "cache" | "installed"} source
 */

/**
 * One way to get the program: puts it somewhere under `directory` and returns its path, or throws with the reason.
 * @typedef {object} Installer
 * @property {string} name
 * @property {(directory: string, log: StepLog) => Promise<string>} install
 */

/**
 * Throws a SetupError that names what was tried and what to install. `allowInstall: false` only looks.
 * @param {{ log?: StepLog, allowInstall?: boolean, env?: NodeJS.ProcessEnv, installers?: readonly Installer[] }} [options]
 * @returns {Promise<TemporalCli>}
 */
export async function findTemporalCli({
  log = silentLog,
  allowInstall = true,
  env = process.env,
  installers = officialInstallers(),
} = {}) {
  const named = env.TEMPORAL_CLI;
  if (named) return await namedCli(named);
  /** @type {string[]} */
  const failures = [];
  /** @param {string} line */
  const failed = (line) => {
    failures.push(line);
    log.line(line);
  };

  const onPath = await lookUp("temporal", env.PATH ?? "");
  if (onPath) {
    const verdict = await judgeTemporalCli(onPath);
    if (verdict.kind === "usable") return { path: onPath, version: verdict.version, source: "PATH" };
    failed(`PATH: ${onPath}: ${verdict.reason}`);
  } else failures.push("PATH: no program `temporal`");

  const home = join(cacheDirectory(env), "temporal-cli");
  const cached = join(home, `${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`, "temporal");
  const inCache = await fromCache(cached, failed);
  if (inCache) return inCache;
  if (!allowInstall) throw missing(failures, "`npm test` and `npm run demo` install one; or");

  return await withLock(
    `${cached}.lock`,
    async () => (await fromCache(cached, () => {})) ?? (await install(cached, installers, log, failed, failures)),
    (owner) => log.line(`${owner} is already installing it: waiting`),
  );
}

/** @returns {Installer[]} */
function officialInstallers() {
  const downloads = downloadUrls().map((url) => ({
    name: `download from ${new URL(url).host}`,
    install: (/** @type {string} */ directory, /** @type {StepLog} */ log) => downloadTemporalCli(url, directory, log),
  }));
  return [...downloads, { name: "build through the Go module proxy", install: buildTemporalCli }];
}

/**
 * A program that was asked for by name is never silently passed over for another.
 * @param {string} named
 * @returns {Promise<TemporalCli>}
 */
async function namedCli(named) {
  const path = resolve(named);
  const verdict = await judgeTemporalCli(path);
  if (verdict.kind === "usable") return { path, version: verdict.version, source: "TEMPORAL_CLI" };
  throw new SetupError(
    `TEMPORAL_CLI names ${named}, but ${verdict.reason}. Correct it, or unset it to let set-up find one.`,
  );
}

/**
 * @param {string} path
 * @param {(line: string) => void} failed
 * @returns {Promise<TemporalCli | null>}
 */
async function fromCache(path, failed) {
  if (!(await isExecutable(path))) return null;
  const verdict = await judgeTemporalCli(path);
  if (verdict.kind === "usable") return { path, version: verdict.version, source: "cache" };
  failed(`cache: ${path}: ${verdict.reason}`);
  return null;
}

/**
 * Tries each way in turn beside the final place, runs what came of it, and moves it there only when it answers with
 * the version that was asked for.
 * @param {string} target
 * @param {readonly Installer[]} installers
 * @param {StepLog} log
 * @param {(line: string) => void} failed
 * @param {string[]} failures
 * @returns {Promise<TemporalCli>}
 */
async function install(target, installers, log, failed, failures) {
  const directory = join(target, "..");
  await mkdir(directory, { recursive: true });
  for (const { name, install: attempt } of installers) {
    const aside = join(directory, `new-${process.pid}`);
    try {
      const made = await attempt(aside, log);
      const verdict = await judgeTemporalCli(made);
      if (verdict.kind === "unusable") throw new SetupError(verdict.reason);
      if (verdict.version !== TEMPORAL_CLI_VERSION) {
        throw new SetupError(`it says that it is version ${verdict.version}, asked for was ${TEMPORAL_CLI_VERSION}`);
      }
      await rename(made, target);
      return { path: target, version: verdict.version, source: "installed" };
    } catch (error) {
      failed(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }
  throw missing(failures, "");
}

/**
 * @param {readonly string[]} failures
 * @param {string} hint
 */
function missing(failures, hint) {
  return new SetupError(
    [
      "There is no Temporal CLI on this machine, and none could be installed:",
      ...failures.map((line) => `  - ${line}`),
      `${hint ? `To mend it: ${hint} install` : "To mend it: install"} the Temporal CLI (https://docs.temporal.io/cli, version 1.3 or newer) so that ` +
        "`temporal` is on the PATH, or name it in TEMPORAL_CLI; or install Go (https://go.dev/dl) and start again, and it is built from source.",
    ].join("\n"),
  );
}

/**
 * @param {string} program
 * @param {string} searchPath
 */
async function lookUp(program, searchPath) {
  for (const directory of searchPath.split(delimiter).filter(Boolean)) {
    const path = resolve(directory, program);
    if (await isExecutable(path)) return path;
  }
  return null;
}

/** @param {string} path */
async function isExecutable(path) {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
