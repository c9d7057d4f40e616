/** The sandbox engine: does it answer, has it the image, and does a command really run in a sandbox? */
import { createDockerSandboxes } from "../../activities/adapters/sandbox/docker.ts";
import type { Config } from "../../config/config.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

/** Making a container takes a second; a slow disk some more. */
const TIMEOUT_MS = 25_000;

export async function checkDocker(config: Config): Promise<Finding[]> {
  const { mode, dockerHost, image, memory, cpus } = config.execution;
  if (mode === "local") {
    return [
      warn(
        "Sandbox",
        "EXECUTION_MODE=local: commands run on this machine without a sandbox.",
        "Unset EXECUTION_MODE where a Docker engine can be had.",
      ),
    ];
  }
  const sandboxes = createDockerSandboxes({
    ...(dockerHost === null ? {} : { dockerHost }),
    ...(image === null ? {} : { image }),
    ...(memory === null ? {} : { memory }),
    ...(cpus === null ? {} : { cpus }),
  });
  try {
    const state = await sandboxes.describe(AbortSignal.timeout(10_000));
    if (state.kind === "down") {
      return [
        fail(
          "Docker",
          state.reason,
          "Start the engine, or name another in DOCKER_HOST; EXECUTION_MODE=local does without, and without its protection.",
        ),
      ];
    }
    const engine = ok("Docker", `${state.engine} answers.`);
    if (!state.imagePresent) {
      return [
        engine,
        fail(
          "Sandbox image",
          `The engine has no image ${state.image}.`,
          "`npm start` makes the default one, and so does deploy/sandbox/make-image.sh; or name one that it has in DOCKER_IMAGE.",
        ),
      ];
    }
    return [engine, ok("Sandbox image", `${state.image} is there.`), await tryOne(sandboxes, config)];
  } finally {
    sandboxes.disconnect();
  }
}

async function tryOne(sandboxes: ReturnType<typeof createDockerSandboxes>, config: Config): Promise<Finding> {
  const name = "Sandbox";
  const key = `doctor-${process.pid}-${Date.now().toString(36)}`;
  const { pids, workspace } = config.settingsFor("any/other").sandbox;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const mend =
    "Look at the engine's log; MEMORY_LIMIT and CPU_LIMIT must fit the machine, and the image needs bash, git and perl.";
  try {
    const sandbox = await sandboxes.open(
      {
        key,
        runKey: key,
        workflowId: "doctor",
        repository: "doctor/doctor",
        image: null,
        memory: null,
        cpus: null,
        pids,
        workspace,
      },
      signal,
    );
    const result = await sandbox.run(
      { key: "hello", script: "git --version", timeoutMs: 10_000, keepBytes: 2_000 },
      signal,
    );
    if (result.kind === "exited" && result.exitCode === 0)
      return ok(name, `A command ran in one, in ${Math.round(result.durationMs)} ms.`);
    const said = Buffer.from(result.output.head).toString("utf8").trim().split("\n").at(-1) ?? "";
    return fail(
      name,
      `One was made, but \`git --version\` in it ended badly (${result.kind === "exited" ? result.exitCode : result.kind}). ${said}`,
      mend,
    );
  } catch (error) {
    return fail(name, error instanceof Error ? error.message : String(error), mend);
  } finally {
    await sandboxes.close(key);
  }
}
