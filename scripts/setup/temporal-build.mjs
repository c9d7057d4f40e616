/** Builds the Temporal CLI from its published source through the Go module proxy: for networks without the download. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SetupError } from "./errors.mjs";
import { runCommand } from "./run-command.mjs";
import { TEMPORAL_CLI_VERSION } from "./temporal-version.mjs";

const MODULE = "github.com/temporalio/cli";
/** Some six minutes on two cores with nothing cached; a machine at work on something else may need several times that. */
const BUILD_MS = 45 * 60_000;

/**
 * Returns the path of the built program, which stands in `directory`.
 * @param {string} directory
 * @param {import("./progress.mjs").StepLog} log
 */
export async function buildTemporalCli(directory, log) {
  const go = await runCommand("go", ["version"], { timeoutMs: 20_000 });
  if (go.exitCode !== 0)
    throw new SetupError("Go is not installed (https://go.dev/dl), so it cannot be built from source");
  await mkdir(directory, { recursive: true });
  log.line(`building ${MODULE} v${TEMPORAL_CLI_VERSION} with Go: about 6 minutes the first time`);
  let modules = 0;
  let packages = 0;
  const end = await runCommand(
    "go",
    // Without the version stamp it would call itself 0.0.0-DEV.
    [
      "install",
      "-v",
      `-ldflags=-s -w -X ${MODULE}/temporalcli.Version=${TEMPORAL_CLI_VERSION}`,
      `${MODULE}/cmd/temporal@v${TEMPORAL_CLI_VERSION}`,
    ],
    {
      env: buildEnvironment(directory),
      timeoutMs: BUILD_MS,
      onLine: (line) => {
        if (line.startsWith("go: downloading")) log.live(`${(modules += 1)} modules downloaded`);
        else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) log.live(`${(packages += 1)} packages compiled`);
      },
    },
  );
  if (end.timedOut) throw new SetupError(`the build did not end within ${BUILD_MS / 60_000} minutes`);
  if (end.exitCode !== 0) throw new SetupError(`\`go install\` failed: ${end.lastLine}`);
  return join(directory, "temporal");
}

/**
 * The person's own Go settings stay (GOFLAGS, GOPROXY, GOCACHE); GOOS and GOARCH would build for another machine.
 * @param {string} directory
 */
function buildEnvironment(directory) {
  const { GOOS: _os, GOARCH: _arch, ...rest } = process.env;
  return { ...rest, GOBIN: directory };
}
