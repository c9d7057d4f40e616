/** Is there a Docker engine that answers? Asked over its API: the `docker` program need not be installed. */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";

/** @typedef {{ status: number, body: string }} EngineAnswer */
/** @typedef {{ body?: import("node:stream").Readable, onLine?: (line: string) => void }} EngineRequest */
/**
 * @typedef {{ kind: "answers", version: string,
 *   request: (method: "GET" | "POST" | "DELETE", path: string, options?: EngineRequest) => Promise<EngineAnswer> }
 *   | { kind: "none", reason: string }} DockerEngine
 */

/** A local engine answers in milliseconds; a remote one over a slow line gets this long. */
const ANSWER_MS = 4_000;
/** Pulling an image may pause for long between two lines of its progress. */
const PULL_MS = 15 * 60_000;

/**
 * Asks the engine of `DOCKER_HOST`, else of the usual socket. Never throws: `none` says why.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<DockerEngine>}
 */
export async function findDockerEngine(env = process.env) {
  const host = env.DOCKER_HOST || "unix:///var/run/docker.sock";
  const target = parseHost(host, env);
  if (!target)
    return { kind: "none", reason: `DOCKER_HOST=${host} is not understood: unix:///path, tcp://host:port or ssh://` };
  if (target === "ssh")
    return { kind: "none", reason: `${host}: set-up does not speak SSH; name the image in DOCKER_IMAGE` };
  try {
    const answer = await ask(target, "GET", "/version", ANSWER_MS);
    if (answer.status !== 200) return { kind: "none", reason: `${host} answered ${answer.status}` };
    return {
      kind: "answers",
      version: String(JSON.parse(answer.body).Version),
      request: (method, path, options) => ask(target, method, path, method === "GET" ? ANSWER_MS : PULL_MS, options),
    };
  } catch (error) {
    return { kind: "none", reason: `${host}: ${explain(error)}` };
  }
}

/**
 * @param {string} host
 * @param {NodeJS.ProcessEnv} env
 * @returns {https.RequestOptions | "ssh" | null}
 */
function parseHost(host, env) {
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) };
  if (host.startsWith("ssh://")) return "ssh";
  const match = /^(?:tcp|https?):\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?\/?$/.exec(host);
  if (!match) return null;
  const tls = Boolean(env.DOCKER_TLS_VERIFY) || host.startsWith("https:");
  const where = { hostname: (match[1] ?? "").replace(/^\[|\]$/g, ""), port: Number(match[2] ?? (tls ? 2376 : 2375)) };
  if (!tls) return where;
  const file = (/** @type {string} */ name) =>
    env.DOCKER_CERT_PATH ? readFileSync(join(env.DOCKER_CERT_PATH, name)) : undefined;
  return { ...where, protocol: "https:", ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
}

/**
 * @param {https.RequestOptions} target
 * @param {string} method
 * @param {string} path
 * @param {number} timeoutMs
 * @param {EngineRequest} [options]
 * @returns {Promise<EngineAnswer>}
 */
function ask(target, method, path, timeoutMs, { body: content, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const client = target.protocol === "https:" ? https : http;
    const headers = content ? { "content-type": "application/x-tar" } : { "content-length": "0" };
    const request = client.request(
      { ...target, method, path, headers, timeout: timeoutMs, agent: false },
      (response) => {
        let body = "";
        let read = 0;
        response.setEncoding("utf8");
        response.on("data", (text) => {
          body += text;
          for (let end = body.indexOf("\n", read); end !== -1; end = body.indexOf("\n", read)) {
            onLine?.(body.slice(read, end));
            read = end + 1;
          }
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", reject);
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    request.on("error", reject);
    if (content) content.pipe(request);
    else request.end();
  });
}

/** @param {unknown} error */
function explain(error) {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "ENOENT") return "there is no such socket";
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "EACCES") return "this user may not use the socket (is it in the group docker?)";
  return error instanceof Error ? error.message : String(error);
}
