/** Makes sure of an image for sandboxes where a Docker engine answers, and says so where commands must run without. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "./cache.mjs";
import { findDockerEngine } from "./docker-engine.mjs";
import { SetupError } from "./errors.mjs";
import { buildImage, namesOfImage, pullImage, tagImage } from "./image-operations.mjs";
import { withLock } from "./lock.mjs";
import { runCommand } from "./run-command.mjs";

/** @typedef {import("./progress.mjs").StepLog} StepLog */
/** @typedef {Extract<import("./docker-engine.mjs").DockerEngine, { kind: "answers" }>} Engine */

/** @typedef {{ kind: "docker", image: string, made: "present" | "pulled" | "built" | "assembled" } | { kind: "local", reason: string }} Sandboxing */

/** What the product uses where no image is named. */
const NAME = "mergewright-sandbox";
const OF_A_RECIPE = /:[0-9a-f]{12}$/;

/** Debian's packages for Python and Node are some 150 MB. */
const ASSEMBLE_MS = 20 * 60_000;

/**
 * Throws a SetupError only where a person asked for something that cannot be had: an image by name, or an engine.
 * @param {{ root: string, log: StepLog, env?: NodeJS.ProcessEnv, name?: string }} options
 * @returns {Promise<Sandboxing>}
 */
export async function ensureSandboxImage({ root, log, env = process.env, name = NAME }) {
  const mode = env.EXECUTION_MODE;
  if (mode === "local" || mode === "local_python") return { kind: "local", reason: `EXECUTION_MODE=${mode}` };
  const engine = await findDockerEngine(env);
  if (engine.kind === "none") {
    if (mode)
      throw new SetupError(
        `EXECUTION_MODE=${mode}, but no Docker engine answers: ${engine.reason}. Start one, or name it in DOCKER_HOST.`,
      );
    return { kind: "local", reason: `no Docker engine answers (${engine.reason})` };
  }
  if (env.DOCKER_IMAGE) return await namedImage(engine, env.DOCKER_IMAGE, log);

  const recipe = join(root, "deploy", "sandbox");
  const image = `${name}:${await hashOf(recipe)}`;
  const present = await presentImage(engine, image, log);
  if (present) return present;
  return await withLock(
    join(cacheDirectory(env), `${image.replace(":", "-")}.lock`),
    async () => (await presentImage(engine, image, log)) ?? (await makeImage(engine, recipe, image, log)),
    (owner) => log.line(`${owner} is already making it: waiting`),
  );
}

/**
 * @param {Engine} engine
 * @param {string} image
 * @param {StepLog} log
 * @returns {Promise<Sandboxing>}
 */
async function namedImage(engine, image, log) {
  if (await namesOfImage(engine, image)) return { kind: "docker", image, made: "present" };
  try {
    await pullImage(engine, image, log);
    return { kind: "docker", image, made: "pulled" };
  } catch (error) {
    throw new SetupError(
      `DOCKER_IMAGE names ${image}, which the engine neither has nor can pull: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * An image that a person made or pulled under our name is theirs to keep. One that set-up made from an older recipe
 * also has that recipe's name: it is made anew.
 * @param {Engine} engine
 * @param {string} image
 * @param {StepLog} log
 * @returns {Promise<Sandboxing | null>}
 */
async function presentImage(engine, image, log) {
  const latest = latestOf(image);
  if (await namesOfImage(engine, image)) return { kind: "docker", image, made: "present" };
  const names = await namesOfImage(engine, latest);
  if (!names || names.some((name) => OF_A_RECIPE.test(name))) return null;
  log.line(`${latest} is used, which was not made by set-up; remove it to have it made from deploy/sandbox`);
  return { kind: "docker", image: latest, made: "present" };
}

/**
 * @param {Engine} engine
 * @param {string} recipe
 * @param {string} image
 * @param {StepLog} log
 * @returns {Promise<Sandboxing>}
 */
async function makeImage(engine, recipe, image, log) {
  /** @type {["built" | "assembled", () => Promise<void>][]} */
  const ways = [
    ["built", () => buildImage(engine, recipe, image, log)],
    ["assembled", () => assemble(recipe, image, log)],
  ];
  for (const [made, attempt] of ways) {
    try {
      await attempt();
      if (!(await namesOfImage(engine, image)))
        throw new SetupError(`it ended well, but the engine has no image ${image}`);
      await tagImage(engine, image, "latest");
      return { kind: "docker", image, made };
    } catch (error) {
      log.line(`${made === "built" ? "docker build" : "Debian packages"}: ${messageOf(error)}`);
    }
  }
  const latest = latestOf(image);
  if (await namesOfImage(engine, latest)) {
    log.line(`${latest} is used, which was made from an older deploy/sandbox`);
    return { kind: "docker", image: latest, made: "present" };
  }
  return { kind: "local", reason: "a Docker engine answers, but no image could be had; DOCKER_IMAGE may name one" };
}

/**
 * @param {string} recipe
 * @param {string} image
 * @param {StepLog} log
 */
async function assemble(recipe, image, log) {
  log.line("making it from Debian packages: about 2 minutes");
  const script = join(recipe, "make-image.sh");
  const end = await runCommand("bash", [script, image], { timeoutMs: ASSEMBLE_MS, onLine: (line) => log.live(line) });
  if (end.timedOut) throw new SetupError(`${script} did not end within ${ASSEMBLE_MS / 60_000} minutes`);
  if (end.exitCode !== 0) throw new SetupError(end.lastLine || `${script} ended with ${end.exitCode}`);
}

/**
 * The recipe's files make the tag: a changed recipe is a new image, an unchanged one is never made twice.
 * @param {string} recipe
 */
async function hashOf(recipe) {
  const hash = createHash("sha256");
  const entries = await readdir(recipe, { recursive: true, withFileTypes: true });
  const parts = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".md"));
  const files = parts.map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort())
    hash
      .update(file.slice(recipe.length))
      .update("\0")
      .update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}

/** @param {string} image */
function latestOf(image) {
  return image.replace(OF_A_RECIPE, ":latest");
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
