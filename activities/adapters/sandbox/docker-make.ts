/** A sandbox's container, found or made: of all who ask for the same key at the same time, on any machine, one makes it. */
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxUnavailable } from "../../../domain/errors.ts";
import type { SandboxSpec } from "../../../domain/ports.ts";
import { containerName, containerOf, LABELS } from "./docker-container.ts";
import { ATTEMPTS, list, PAUSE_MS, remove } from "./docker-containers.ts";
import { type DockerEngine, EngineRefusal } from "./docker-engine.ts";
import { imageAdvice, pullImage } from "./docker-image.ts";
import type { SandboxLog } from "./served-sandbox.ts";

export const DEFAULT_IMAGE = "mergewright-sandbox:latest";

/** What holds for a sandbox whose own settings say nothing, and for all of them. */
export interface MakerOptions {
  image: string;
  memory?: string;
  cpus?: number;
  owner: string;
  log?: SandboxLog;
}

export class ContainerMaker {
  readonly #engine: DockerEngine;
  readonly #options: MakerOptions;
  #hostCpus: number | null = null;

  constructor(engine: DockerEngine, options: MakerOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** The id of the running container of this key. Its name is the lock: the engine gives it once. */
  async findOrMake(spec: SandboxSpec, signal: AbortSignal): Promise<string> {
    const engine = this.#engine;
    const image = spec.image ?? this.#options.image;
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
        const id = found?.Id ?? (await this.#make(spec, image, signal));
        return await start(engine, id, image, signal);
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

  async #make(spec: SandboxSpec, image: string, signal: AbortSignal): Promise<string> {
    const { memory, cpus, owner, log } = this.#options;
    const defaults = { ...(memory === undefined ? {} : { memory }), ...(cpus === undefined ? {} : { cpus }) };
    const container = containerOf(spec, image, defaults, await this.#cpusOfHost(signal), owner);
    const made = await this.#engine.call(`Making the container of sandbox ${spec.key}`, signal, (docker, abortSignal) =>
      docker.createContainer({ ...container, name: containerName(spec.key), abortSignal }),
    );
    log?.info({ sandbox: spec.key, image }, "sandbox made");
    return made.id;
  }

  async #cpusOfHost(signal: AbortSignal): Promise<number> {
    this.#hostCpus ??= await this.#engine.call(
      "Asking the engine for its size",
      signal,
      async (docker) => ((await docker.info()) as { NCPU: number }).NCPU,
    );
    return this.#hostCpus;
  }
}

async function start(engine: DockerEngine, id: string, image: string, signal: AbortSignal): Promise<string> {
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
