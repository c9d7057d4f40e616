/** Sandboxes as containers of a Docker engine, here or on another machine: no bind mounts, no shared files. */
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { SandboxLost, SandboxUnavailable } from "../../../domain/errors.ts";
import type { Sandboxes, SandboxSpec } from "../../../domain/ports.ts";
import { Connection } from "./connection.ts";
import { startInContainer } from "./docker-channel.ts";
import { APP, containerName, containerOf, LABELS, ROOT } from "./docker-container.ts";
import { DockerEngine, EngineRefusal } from "./docker-engine.ts";
import { imageAdvice, pullImage } from "./docker-image.ts";
import { type SandboxLog, ServedSandbox } from "./served-sandbox.ts";
import { never, Shared } from "./waiting.ts";

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
export const DEFAULT_IMAGE = "mergewright-sandbox:latest";

/** Looks at the engine before it gives up: others may be making or removing the same container. */
const ATTEMPTS = 20;
const PAUSE_MS = 150;
/** A restarting engine is away for a few seconds. */
const RESTART_MS = 15_000;

export function createDockerSandboxes(options: DockerOptions = {}): DockerSandboxes {
  const engine = new DockerEngine(options.dockerHost ?? DEFAULT_DOCKER_HOST, options.tls);
  const defaultImage = options.image ?? DEFAULT_IMAGE;
  const owner = options.owner ?? "";
  const opened = new Map<string, ServedSandbox>();
  const opening = new Map<string, Shared<ServedSandbox>>();
  let hostCpus: number | null = null;

  async function open(spec: SandboxSpec, signal: AbortSignal): Promise<ServedSandbox> {
    const known = opened.get(spec.key);
    if (known) {
      try {
        await known.connect();
        return known;
      } catch (error) {
        if (!(error instanceof SandboxLost)) throw error;
        options.log?.info({ sandbox: spec.key }, `${error.message}`);
        if (opened.get(spec.key) === known) opened.delete(spec.key);
      }
    }
    const container = await findOrMake(spec, signal);
    const sandbox = new ServedSandbox({
      name: `Sandbox ${spec.key}`,
      tree: `${ROOT}/tree`,
      scratch: `${ROOT}/scratch`,
      connect: () => connect(engine, container, spec.key),
    });
    await sandbox.connect();
    opened.set(spec.key, sandbox);
    return sandbox;
  }

  /** The id of the running container of this key. Its name is the lock: the engine gives it once. */
  async function findOrMake(spec: SandboxSpec, signal: AbortSignal): Promise<string> {
    const image = spec.image ?? defaultImage;
    let pulled = false;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const [found] = await list(engine, { [LABELS.key]: spec.key }, signal);
      if (found?.State === "running") return found.Id;
      if (found && found.State !== "created") {
        // Stopped, its workspace is gone: an empty one must not pass for it.
        await remove(engine, found.Id, signal);
        continue;
      }
      try {
        const id = found?.Id ?? (await make(spec, image, signal));
        return await start(id, image, signal);
      } catch (error) {
        if (!(error instanceof EngineRefusal)) throw error;
        if (error.status === 404 && /image/i.test(error.message) && !pulled) {
          await pullImage(engine, image, image === DEFAULT_IMAGE, signal);
          pulled = true;
        } else if (error.status !== 409 && error.status !== 404) {
          throw new SandboxUnavailable(`${error.message}. ${imageAdvice(image)}`, { cause: error });
        }
      }
      await sleep(PAUSE_MS, undefined, { signal });
    }
    throw new SandboxUnavailable(
      `The container ${containerName(spec.key)} cannot be made: the engine says that the name is taken, but has no such sandbox of ours. Remove the container of that name.`,
    );
  }

  async function make(spec: SandboxSpec, image: string, signal: AbortSignal): Promise<string> {
    const { memory, cpus } = options;
    hostCpus ??= await engine.call(
      "Asking the engine for its size",
      signal,
      async (docker) => ((await docker.info()) as { NCPU: number }).NCPU,
    );
    const container = containerOf(
      spec,
      image,
      { ...(memory === undefined ? {} : { memory }), ...(cpus === undefined ? {} : { cpus }) },
      hostCpus,
      owner,
    );
    const made = await engine.call(`Making the container of sandbox ${spec.key}`, signal, (docker, abortSignal) =>
      docker.createContainer({ ...container, name: containerName(spec.key), abortSignal }),
    );
    options.log?.info({ sandbox: spec.key, image }, "sandbox made");
    return made.id;
  }

  async function start(id: string, image: string, signal: AbortSignal): Promise<string> {
    try {
      await engine.call(`Starting a container of ${image}`, signal, (docker, abortSignal) =>
        docker.getContainer(id).start({ abortSignal }),
      );
      return id;
    } catch (error) {
      const refused = error instanceof EngineRefusal;
      // Somebody else started it between our two looks.
      if (refused && error.status === 304) return id;
      if (refused && error.status !== 404 && error.status !== 409) await remove(engine, id, signal);
      throw error;
    }
  }

  async function close(key: string): Promise<void> {
    // One that is being opened is waited for, or it would come up behind us.
    await opening
      .get(key)
      ?.wait(never)
      .catch(() => {});
    opened.get(key)?.disconnect("it was closed.", true);
    opened.delete(key);
    for (const container of await list(engine, { [LABELS.key]: key }, never)) await remove(engine, container.Id, never);
  }

  return {
    kind: "docker",
    async open(spec, signal) {
      signal.throwIfAborted();
      let shared = opening.get(spec.key);
      if (!shared || shared.isAborted) {
        const mine: Shared<ServedSandbox> = new Shared((inner) =>
          open(spec, inner).finally(() => {
            if (opening.get(spec.key) === mine) opening.delete(spec.key);
          }),
        );
        opening.set(spec.key, mine);
        shared = mine;
      }
      return shared.wait(signal);
    },
    close,
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
        opened.get(key)?.disconnect("it was removed.", true);
        opened.delete(key);
        await remove(engine, container.Id, signal);
        reaped.push(key);
      }
      return reaped;
    },
    async describe(signal = never) {
      try {
        const version = await engine.call(
          "Asking the engine for its version",
          signal,
          (docker) => docker.version(),
          10_000,
        );
        const images = await engine.call(
          "Listing images",
          signal,
          (docker, abortSignal) => docker.listImages({ filters: { reference: [defaultImage] }, abortSignal }),
          10_000,
        );
        return {
          kind: "answers",
          engine: `Docker ${version.Version} (${version.Os}/${version.Arch})`,
          image: defaultImage,
          imagePresent: images.length > 0,
        };
      } catch (error) {
        if (signal.aborted) throw error;
        return { kind: "down", reason: (error as Error).message };
      }
    },
    disconnect() {
      for (const sandbox of opened.values()) sandbox.disconnect("the worker let go of it.");
      opened.clear();
    },
  };
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

async function list(
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
async function remove(engine: DockerEngine, id: string, signal: AbortSignal): Promise<void> {
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
