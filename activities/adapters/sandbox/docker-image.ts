/** Images that the engine does not have: pulled where they can be, explained where not. */
import type Docker from "dockerode";
import { SandboxUnavailable } from "../../../domain/errors.ts";
import { type DockerEngine, EngineRefusal } from "./docker-engine.ts";

const PULL_LIMIT_MS = 10 * 60_000;

/** `ours`: the default image stands in no registry, and nobody else's of that name is wanted. */
export async function pullImage(
  engine: DockerEngine,
  image: string,
  ours: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (ours)
    throw new SandboxUnavailable(`The engine at ${engine.address} has no image ${image}. ${imageAdvice(image)}`);
  try {
    await engine.call(`Pulling ${image}`, signal, (docker, inner) => pull(docker, named(image), inner), PULL_LIMIT_MS);
  } catch (error) {
    if (signal.aborted || error instanceof SandboxUnavailable) throw error;
    const reason = error instanceof EngineRefusal || error instanceof Error ? error.message : String(error);
    throw new SandboxUnavailable(
      `The engine at ${engine.address} has no image ${image}, and it cannot be pulled: ${reason}. ${imageAdvice(image)}`,
      { cause: error },
    );
  }
}

export function imageAdvice(image: string): string {
  return `Make the default image with deploy/sandbox/make-image.sh or \`docker build -t mergewright-sandbox deploy/sandbox\`, or name another in DOCKER_IMAGE or sandbox.image; deploy/sandbox/README.md says what ${image} must hold.`;
}

async function pull(docker: Docker, image: string, abortSignal: AbortSignal): Promise<void> {
  const progress = (await docker.pull(image, { abortSignal })) as NodeJS.ReadableStream & { destroy(): void };
  const stop = () => progress.destroy();
  abortSignal.addEventListener("abort", stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(progress, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  } finally {
    abortSignal.removeEventListener("abort", stop);
  }
}

/** Without a tag the engine would pull all of them. */
function named(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.includes(":") || last.includes("@") ? image : `${image}:latest`;
}
