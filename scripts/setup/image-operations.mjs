/** What set-up asks of a Docker engine about images, over its API. */
import { spawn } from "node:child_process";
import { SetupError } from "./errors.mjs";

/** @typedef {import("./sandbox-image.mjs").Engine} Engine */
/** @typedef {import("./progress.mjs").StepLog} StepLog */

/**
 * The names that the engine knows an image by; null when it has no such image.
 * @param {Engine} engine
 * @param {string} image
 * @returns {Promise<string[] | null>}
 */
export async function namesOfImage(engine, image) {
  const { status, body } = await engine.request("GET", `/images/${encodeURIComponent(image)}/json`);
  return status === 200 ? (JSON.parse(body).RepoTags ?? []) : null;
}

/**
 * @param {Engine} engine
 * @param {string} image
 * @param {StepLog} log
 */
export async function pullImage(engine, image, log) {
  const named = /^(.+?)(?::([^:/@]+))?$/.exec(image);
  const digest = image.includes("@");
  const query = new URLSearchParams({ fromImage: digest ? image : (named?.[1] ?? image) });
  if (!digest) query.set("tag", named?.[2] ?? "latest");
  await follow(await engine.request("POST", `/images/create?${String(query)}`, { onLine: progressTo(log) }));
}

/**
 * Builds from a folder with a Dockerfile. The docker client is not needed: the engine takes the folder as an archive.
 * @param {Engine} engine
 * @param {string} folder
 * @param {string} image
 * @param {StepLog} log
 */
export async function buildImage(engine, folder, image, log) {
  const archive = spawn("tar", ["-C", folder, "-cf", "-", "."], { stdio: ["ignore", "pipe", "ignore"] });
  const answer = engine.request("POST", `/build?${String(new URLSearchParams({ t: image, rm: "1", forcerm: "1" }))}`, {
    body: archive.stdout,
    onLine: progressTo(log),
  });
  await follow(await answer);
}

/**
 * Gives an image a second tag beside its first.
 * @param {Engine} engine
 * @param {string} image
 * @param {string} tag
 */
export async function tagImage(engine, image, tag) {
  const query = new URLSearchParams({ repo: image.replace(/:[^:/]+$/, ""), tag });
  await engine.request("POST", `/images/${encodeURIComponent(image)}/tag?${String(query)}`);
}

/**
 * Pull and build answer 200 before they begin; whether they went well stands in the lines of the answer.
 * @param {import("./docker-engine.mjs").EngineAnswer} answer
 */
async function follow({ status, body }) {
  if (status >= 300) throw new SetupError(parse(body)?.message ?? `the engine answered ${status}`);
  for (const line of body.split("\n")) {
    const error = parse(line)?.error;
    if (error) throw new SetupError(String(error).trim().split("\n").at(-1) ?? "");
  }
}

/**
 * @param {StepLog} log
 * @returns {(line: string) => void}
 */
function progressTo(log) {
  return (line) => {
    const message = parse(line);
    const text = message?.stream ?? message?.status;
    if (text?.trim()) log.live(text.trim());
  };
}

/**
 * @param {string} line
 * @returns {{ message?: string, error?: string, stream?: string, status?: string } | null}
 */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
