/** A GitHub that knows one token, and whose it is: all that the command line asks when it wants to know who speaks. */
import { once } from "node:events";
import { createServer } from "node:http";

export interface AccountServer {
  url: string;
  close(): void;
}

/** Its token is `a-token`, of the user `ada`. */
export async function startAccountServer(): Promise<AccountServer> {
  const server = createServer((request, response) => {
    const known = request.url === "/user" && request.headers.authorization?.endsWith("a-token");
    response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(known ? { login: "ada", id: 7, type: "User" } : { message: "Bad credentials" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
