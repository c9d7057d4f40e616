/** Sandboxes as containers of a Docker engine, here or on another machine: no bind mounts, no shared files. */
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxLost, SandboxUnavailable } from "../../../domain/errors.ts";
import type { Sandboxes } from "../../../domain/ports.ts";
import { Connection } from "./connection.ts";
import { startInContainer } from "./docker-channel.ts";
import { APP, LABELS, ROOT } from "./docker-container.ts";
import { list, remove } from "./docker-containers.ts";
import { DockerEngine, EngineRefusal } from "./docker-engine.ts";
import { ContainerMaker, DEFAULT_IMAGE } from "./docker-make.ts";
import { OpenSandboxes } from "./open-sandboxes.ts";
import { type SandboxLog, ServedSandbox } from "./served-sandbox.ts";
import { never } from "./waiting.ts";

export { DEFAULT_IMAGE } from "./docker-make.ts";

export interface DockerOptions {
  /** As DOCKER_HOST has it. */
  dockerHost?: string;
  tls?: { ca: string; cert: string; key: string };
  /** For sandboxes whose settings name none. */
  image?: string;
  /** For sandboxes whose settings say nothing, such as `4g`. */
  memory?: string;
  cpus?: number;
  /** Whose sandboxes these are on an engine that several installations use; `known` tells of its own only. */
  owner?: string;
  log?: SandboxLog;
}

export interface DockerSandboxes extends Sandboxes {
  /** Removes the sandboxes of a run, or those made longer ago than this, or all of ours; tells their keys. */
  reap(which: { runKey?: string; olderThanMs?: number }, signal?: AbortSignal): Promise<string[]>;
  /** Whether an engine answers and has the image, in words for a person. */
  describe(signal?: AbortSignal): Promise<EngineState>;
  /** Drops the connections of this process; what runs goes on. */
  disconnect(): void;
}

export type EngineState =
  | { kind: "answers"; engine: string; image: string; imagePresent: boolean }
  | { kind: "down"; reason: string };

export const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/** A restarting engine is away for a few seconds. */
const RESTART_MS = 15_000;
/** A person waits for the answer. */
const LOOK_LIMIT_MS = 10_000;

export function createDockerSandboxes(options: DockerOptions = {}): DockerSandboxes {
  const engine = new DockerEngine(options.dockerHost ?? DEFAULT_DOCKER_HOST, options.tls);
  const image = options.image ?? DEFAULT_IMAGE;
  const owner = options.owner ?? "";
  const maker = new ContainerMaker(engine, { ...options, image, owner });
  const sandboxes = new OpenSandboxes(
    async (spec, signal) => served(engine, await maker.findOrMake(spec, signal), spec.key),
    options.log,
  );

  return {
    kind: "docker",
    open: (spec, signal) => sandboxes.open(spec, signal),
    async close(key) {
      await sandboxes.close(key);
      for (const { Id } of await list(engine, { [LABELS.key]: key }, never)) await remove(engine, Id, never);
    },
    async known() {
      const containers = await list(engine, { [LABELS.app]: APP, [LABELS.owner]: owner }, never);
      return containers.flatMap(({ Labels, Created }) => {
        const [key, workflowId, runKey] = [Labels[LABELS.key], Labels[LABELS.workflow], Labels[LABELS.run]];
        if (key === undefined || workflowId === undefined || runKey === undefined) return [];
        return [{ key, runKey, workflowId, madeAt: Created * 1000 }];
      });
    },
    async reap({ runKey, olderThanMs }, signal = never) {
      const labels = { [LABELS.app]: APP, ...(runKey === undefined ? {} : { [LABELS.run]: runKey }) };
      const before = olderThanMs === undefined ? Infinity : Date.now() - olderThanMs;
      const reaped: string[] = [];
      for (const container of await list(engine, labels, signal)) {
        if (container.Created * 1000 > before) continue;
        const key = container.Labels[LABELS.key] ?? container.Id;
        sandboxes.drop(key, "it was removed.");
        await remove(engine, container.Id, signal);
        reaped.push(key);
      }
      return reaped;
    },
    describe: (signal = never) => describe(engine, image, signal),
    disconnect: () => sandboxes.disconnect("the worker let go of it."),
  };
}

function served(engine: DockerEngine, container: string, key: string): ServedSandbox {
  return new ServedSandbox({
    name: `Sandbox ${key}`,
    tree: `${ROOT}/tree`,
    scratch: `${ROOT}/scratch`,
    connect: () => connect(engine, container, key),
  });
}

/** Starts a command server in the container if it still runs. An engine that restarts is waited for. */
async function connect(engine: DockerEngine, container: string, key: string): Promise<Connection> {
  const until = Date.now() + RESTART_MS;
  for (;;) {
    try {
      return await Connection.open(await startInContainer(engine, container, key));
    } catch (error) {
      if (error instanceof SandboxUnavailable && Date.now() < until) {
        await sleep(500);
        continue;
      }
      if (!(error instanceof EngineRefusal)) throw error;
      throw new SandboxLost(`Sandbox ${key} is gone: ${error.message}. It is built anew when it is opened again.`, {
        cause: error,
      });
    }
  }
}

async function describe(engine: DockerEngine, image: string, signal: AbortSignal): Promise<EngineState> {
  try {
    const version = await engine.call(
      "Asking the engine for its version",
      signal,
      (docker) => docker.version(),
      LOOK_LIMIT_MS,
    );
    const images = await engine.call(
      "Listing images",
      signal,
      (docker, abortSignal) => docker.listImages({ filters: { reference: [image] }, abortSignal }),
      LOOK_LIMIT_MS,
    );
    return {
      kind: "answers",
      engine: `Docker ${version.Version} (${version.Os}/${version.Arch})`,
      image,
      imagePresent: images.length > 0,
    };
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: "down", reason: (error as Error).message };
  }
}
