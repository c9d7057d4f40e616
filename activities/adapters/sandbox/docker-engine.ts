/** The Docker engine: every call ends, by the caller's signal or a time limit, and every failure says what to do. */
import Docker from "dockerode";
import { ConfigurationError, SandboxUnavailable } from "../../../domain/errors.ts";
import { TimeUp, within } from "./waiting.ts";

/** The engine answered, and said no. */
export class EngineRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const CALL_LIMIT_MS = 60_000;

export class DockerEngine {
  readonly address: string;
  readonly #docker: Docker;

  /** `dockerHost` as DOCKER_HOST has it: unix://PATH, tcp://HOST:PORT, http:// or https://. */
  constructor(dockerHost: string, tls?: { ca: string; cert: string; key: string }) {
    this.address = dockerHost;
    this.#docker = new Docker(connectionOf(dockerHost, tls));
  }

  /**
   * One call. Throws the signal's reason, EngineRefusal with the engine's status, or SandboxUnavailable when no engine
   * answers. `doing` completes the sentence "... failed".
   */
  async call<T>(
    doing: string,
    signal: AbortSignal,
    work: (docker: Docker, signal: AbortSignal) => Promise<T>,
    limitMs = CALL_LIMIT_MS,
  ): Promise<T> {
    try {
      return await within(limitMs, signal, (inner) => work(this.#docker, inner));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const { statusCode, code, message } = error as { statusCode?: number; code?: string; message: string };
      if (typeof statusCode === "number")
        throw new EngineRefusal(statusCode, `${doing} failed: ${message.trim()}`, { cause: error });
      if (error instanceof TimeUp)
        throw new SandboxUnavailable(
          `${doing} failed: the Docker engine at ${this.address} gave ${message}. Restart it, or set DOCKER_HOST to another.`,
          { cause: error },
        );
      if (code === undefined) throw error;
      throw new SandboxUnavailable(`${doing} failed: ${this.#advice(code, message)}`, { cause: error });
    }
  }

  #advice(code: string, message: string): string {
    switch (code) {
      case "EACCES":
      case "EPERM":
        return `the Docker engine at ${this.address} refuses this user (${code}). Add the user to the group docker, or set DOCKER_HOST to an engine of its own.`;
      case "ECONNRESET":
      case "EPIPE":
        return `the Docker engine at ${this.address} broke the connection off (${code}). Was it restarted?`;
      default:
        return `no Docker engine answers at ${this.address} (${message || code}). Start one, set DOCKER_HOST, or ask for EXECUTION_MODE=local to do without a sandbox.`;
    }
  }
}

/** Every field is given: what is left out, dockerode takes from the environment. */
function connectionOf(
  dockerHost: string,
  tls: { ca: string; cert: string; key: string } | undefined,
): Docker.DockerOptions {
  const none = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
  };
  const [, scheme, rest] = /^([a-z]+):\/\/(.+)$/.exec(dockerHost) ?? [];
  if (scheme === "unix" || scheme === "npipe")
    return { ...none, protocol: "http", socketPath: rest } as Docker.DockerOptions;
  if (scheme === "tcp" || scheme === "http" || scheme === "https") {
    const secure = scheme === "https" || tls !== undefined;
    const url = new URL(`http://${rest}`);
    const port = Number(url.port || (secure ? 2376 : 2375));
    return { ...none, protocol: secure ? "https" : "http", host: url.hostname, port, ...tls } as Docker.DockerOptions;
  }
  throw new ConfigurationError([
    `DOCKER_HOST: ${JSON.stringify(dockerHost)} cannot be used. Write unix:///var/run/docker.sock or tcp://HOST:PORT.`,
  ]);
}
