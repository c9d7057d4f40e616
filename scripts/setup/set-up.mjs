/** All of set-up, in the order in which one step needs the other. Everything that it says goes to standard error. */
import { fileURLToPath } from "node:url";
import { ensureDependencies } from "./dependencies.mjs";
import { checkNodeVersion } from "./node-version.mjs";
import { createProgress } from "./progress.mjs";
import { ensureSandboxImage } from "./sandbox-image.mjs";
import { findTemporalCli } from "./temporal-cli.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @typedef {object} Prepared
 * @property {Record<string, string>} env What the program that comes next should find in its environment.
 * @property {import("./sandbox-image.mjs").Sandboxing} sandboxing
 */

/**
 * Throws a SetupError that says what a person can do. `needsTemporalCli: false` where a server is named already.
 * @param {{ env?: NodeJS.ProcessEnv, needsTemporalCli?: boolean }} [options]
 * @returns {Promise<Prepared>}
 */
export async function setUp({ env = process.env, needsTemporalCli = true } = {}) {
  const started = performance.now();
  const progress = createProgress();
  checkNodeVersion();
  await progress.step(
    "dependencies",
    (log) => ensureDependencies({ root, log }),
    (result) => result,
  );
  const temporal = needsTemporalCli
    ? await progress.step(
        "Temporal CLI",
        (log) => findTemporalCli({ log, env }),
        ({ version, source }) => `${version} (${source})`,
      )
    : null;
  const sandboxing = await progress.step("sandbox", (log) => ensureSandboxImage({ root, log, env }), describe);
  return {
    sandboxing,
    env: {
      ...(temporal ? { TEMPORAL_CLI: temporal.path } : {}),
      ...(sandboxing.kind === "docker" ? { DOCKER_IMAGE: sandboxing.image } : {}),
      MERGEWRIGHT_SETUP_SECONDS: ((performance.now() - started) / 1000).toFixed(2),
    },
  };
}

/** @param {import("./sandbox-image.mjs").Sandboxing} result */
function describe(result) {
  return result.kind === "docker" ? `Docker, image ${result.image} (${result.made})` : `none: ${result.reason}`;
}
