/** Git's own smart HTTP server (`git http-backend`) behind a few lines of Node, with the faults that a forge can have. */
import { spawn, spawnSync } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Fault {
  /** Decides whether this request is met by it. */
  when(request: IncomingMessage): boolean;
  /** `after`: the request takes effect, the answer is lost. */
  answer:
    | { kind: "status"; status: number; headers?: Record<string, string> }
    | { kind: "hang" }
    | { kind: "cut" }
    | { kind: "after" };
  times: number;
}

export interface GitServer {
  url: string;
  requests: { method: string; url: string; authorization: string | undefined }[];
  faults: Fault[];
  /** When set, requests without exactly this Basic password are answered 401. */
  token: string | null;
  close(): Promise<void>;
}

export async function startGitServer(root: string): Promise<GitServer> {
  const execPath = spawnSync("git", ["--exec-path"], { encoding: "utf8" }).stdout.trim();
  const state: Omit<GitServer, "url" | "close"> = { requests: [], faults: [], token: null };
  const server: Server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    state.requests.push({ method, url, authorization: headers.authorization });
    const fault = state.faults.find((one) => one.times > 0 && one.when(request));
    if (fault) fault.times -= 1;
    if (fault?.answer.kind === "hang") return;
    if (fault?.answer.kind === "cut") return void request.socket.destroy();
    if (fault?.answer.kind === "status") {
      response.writeHead(fault.answer.status, fault.answer.headers).end();
      return;
    }
    const wanted =
      state.token === null ? undefined : `Basic ${Buffer.from(`x-access-token:${state.token}`).toString("base64")}`;
    if (wanted !== undefined && headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    backend(execPath, root, request, response, fault?.answer.kind === "after");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  });
}

/** One CGI request. @see https://git-scm.com/docs/git-http-backend */
function backend(
  execPath: string,
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  loseAnswer: boolean,
): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const child = spawn(`${execPath}/git-http-backend`, [], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      HTTP_GIT_PROTOCOL: request.headers["git-protocol"]?.toString() ?? "",
      REMOTE_USER: "x-access-token",
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  let headDone = false;
  child.stdout.on("data", (chunk: Buffer) => {
    if (loseAnswer) return;
    if (headDone) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    headDone = true;
    for (const line of head.toString("latin1", 0, end).split("\r\n")) {
      const [name = "", value = ""] = line.split(/: (.*)/s);
      if (name.toLowerCase() === "status") response.statusCode = Number(value.slice(0, 3));
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
  });
  child.on("close", () => (loseAnswer ? request.socket.destroy() : response.end()));
}
