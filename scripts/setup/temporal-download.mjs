/** Gets the Temporal CLI from where Temporal publishes it. Fails fast where the network does not lead there. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SetupError } from "./errors.mjs";
import { runCommand } from "./run-command.mjs";
import { TEMPORAL_CLI_VERSION } from "./temporal-version.mjs";

/** @typedef {import("./progress.mjs").StepLog} StepLog */

/** A blocked network should cost seconds: nobody waits for a minute to hear that a build comes next. */
const FIRST_BYTE_MS = 8_000;
/** Between two pieces of the body; the whole (some 60 MB) may take as long as the line needs. */
const STALLED_MS = 20_000;

/** @returns {string[]} The places that publish the pinned version for this platform; none for an unknown platform. */
export function downloadUrls(platform = process.platform, architecture = process.arch) {
  const arch = { x64: "amd64", arm64: "arm64" }[/** @type {string} */ (architecture)];
  if (!arch || (platform !== "linux" && platform !== "darwin")) return [];
  const v = TEMPORAL_CLI_VERSION;
  return [
    `https://temporal.download/cli/archive/v${v}?platform=${platform}&arch=${arch}`,
    `https://github.com/temporalio/cli/releases/download/v${v}/temporal_cli_${v}_${platform}_${arch}.tar.gz`,
  ];
}

/**
 * Downloads and unpacks one archive into `directory` and returns the path of the program in it.
 * @param {string} url
 * @param {string} directory
 * @param {StepLog} log
 */
export async function downloadTemporalCli(url, directory, log) {
  await mkdir(directory, { recursive: true });
  const archive = join(directory, "archive.tar.gz");
  await save(url, archive, log);
  log.live("unpacking");
  const end = await runCommand("tar", ["-xzf", archive, "-C", directory, "temporal"], { timeoutMs: 120_000 });
  if (end.exitCode !== 0) throw new SetupError(`the archive cannot be unpacked: ${end.lastLine}`);
  return join(directory, "temporal");
}

/**
 * @param {string} url
 * @param {string} file
 * @param {StepLog} log
 */
async function save(url, file, log) {
  const abort = new AbortController();
  let timer = setTimeout(
    () => abort.abort(new SetupError(`no answer within ${FIRST_BYTE_MS / 1000} s`)),
    FIRST_BYTE_MS,
  );
  try {
    log.live(`asking ${new URL(url).host}`);
    const response = await fetch(url, { signal: abort.signal, redirect: "follow" });
    if (!response.ok || !response.body) throw new SetupError(`the server answered ${response.status}`);
    const total = Number(response.headers.get("content-length") ?? 0);
    let received = 0;
    const body = Readable.fromWeb(/** @type {import("node:stream/web").ReadableStream} */ (response.body));
    body.on("data", (/** @type {Uint8Array} */ piece) => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(new SetupError(`nothing came for ${STALLED_MS / 1000} s`)), STALLED_MS);
      received += piece.length;
      log.live(`${megabytes(received)}${total ? ` of ${megabytes(total)}` : ""} MB from ${new URL(url).host}`);
    });
    await pipeline(body, createWriteStream(file), { signal: abort.signal });
    if (total && received !== total) throw new SetupError(`only ${received} of ${total} bytes came`);
  } catch (error) {
    throw new SetupError(reasonOf(abort.signal.aborted ? abort.signal.reason : error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1_000_000).toFixed(0);
}

/**
 * `fetch failed` says nothing; what it wraps does.
 * @param {unknown} error
 */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
