/** The containers of sandboxes on an engine: looked for by their labels, removed by their id. */
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { SandboxUnavailable } from "../../../domain/errors.ts";
import { type DockerEngine, EngineRefusal } from "./docker-engine.ts";

/** Looks at the engine before it gives up: others may be making or removing the same container. */
export const ATTEMPTS = 20;
export const PAUSE_MS = 150;

export async function list(
  engine: DockerEngine,
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<Docker.ContainerInfo[]> {
  const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return engine.call("Looking for sandboxes", signal, (docker, abortSignal) =>
    docker.listContainers({ all: true, filters: { label }, abortSignal }),
  );
}

/** By id, so that a new container of the same name is never meant. Gone already is fine. */
export async function remove(engine: DockerEngine, id: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      await engine.call("Removing a container", signal, (docker, abortSignal) =>
        docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
      );
      return;
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.status === 404) return;
      if (error.status !== 409) throw new SandboxUnavailable(error.message, { cause: error });
    }
    // Somebody else is removing it.
    await sleep(PAUSE_MS, undefined, { signal });
  }
}
