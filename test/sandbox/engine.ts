/** The engine that Docker tests use, or why they are skipped. */
import { createDockerSandboxes, DEFAULT_DOCKER_HOST, DEFAULT_IMAGE } from "../../activities/adapters/sandbox/docker.ts";

export interface TestEngine {
  dockerHost?: string;
  image: string;
}

const dockerHost = process.env.DOCKER_HOST;
const image = process.env.DOCKER_IMAGE ?? DEFAULT_IMAGE;
export const engine: TestEngine = { image, ...(dockerHost ? { dockerHost } : {}) };

/** The socket of an engine on this machine; null: it stands elsewhere. */
export const engineSocket: string | null = /^unix:\/\/(.+)$/.exec(dockerHost || DEFAULT_DOCKER_HOST)?.[1] ?? null;

const state = await createDockerSandboxes(engine).describe();

/** null: they run. */
export const skipped: string | null =
  state.kind === "down"
    ? `no Docker engine: ${state.reason}`
    : state.imagePresent
      ? null
      : `the engine has no image ${image}; make it with deploy/sandbox/make-image.sh`;
