import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { NativeConnection } from "@temporalio/worker";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createLog } from "../../workers/log.ts";
import { reachTemporal } from "../../workers/reach.ts";
import { freePort } from "../../workers/temporal-process.ts";
import { cli, spawnCli } from "../cli/run-cli.ts";
import { temporalAddress } from "../support/temporal.ts";

const keys = {
  ANTHROPIC_API_KEY: "sk-ant-reach-0123456789",
  GITHUB_TOKEN: "ghp_reach0123456789",
  EXECUTION_MODE: "local",
};

it("a worker that starts while Temporal is away waits for it, says so once, and asks again what broke off", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const said: string[] = [];
  const output = new Writable({ write: (line: Buffer, _, done) => (said.push(line.toString()), done()) });
  const log = createLog({ level: "info", pretty: false, output });
  let asked = 0;
  const reached = reachTemporal(configFor(address), log, undefined, async (connection) => {
    asked += 1;
    // It goes away once more between the connection and the answer.
    if (asked === 1) throw Object.assign(new Error("14 UNAVAILABLE: the server is shutting down"), { code: 14 });
    return await namespaces(connection);
  });
  await expect.poll(() => said.length).toBe(1);
  expect(said[0]).toContain(`Temporal at ${address} does not answer`);
  await forward(Number(address.split(":")[1]));
  const { connection, met } = await reached;
  await connection.close();
  expect(met).toContain("default");
  expect(asked).toBe(2);
  expect(said.slice(1)).toEqual([expect.stringContaining("Temporal answers")]);
});

it("a worker that waits for Temporal ends in order when it is told to", async () => {
  const child = spawnCli(["worker"], { cwd: folder(), env: { ...keys, TEMPORAL_ADDRESS: "127.0.0.1:1" } });
  let log = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(child, "exit");
  await expect.poll(() => log, { timeout: 50_000 }).toContain("does not answer; tried again until it does");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

it("a namespace that does not exist ends the worker with what to do", async () => {
  const env = { ...keys, TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: "nowhere" };
  const { code, err } = await cli(["worker"], { cwd: folder(), env });
  expect(err).toMatch(/TEMPORAL_NAMESPACE: Temporal at .* has no namespace "nowhere"\. Correct the name, or make it/);
  expect(err).not.toContain("    at ");
  expect(code).toBe(2);
});

it("a key that is refused is told, and not tried for ever", async () => {
  const log = createLog({ level: "silent" });
  const refused = reachTemporal(configFor(temporalAddress()), log, undefined, async () => {
    throw Object.assign(new Error("16 UNAUTHENTICATED: bad key"), { code: 16 });
  });
  await expect(refused).rejects.toThrow(/TEMPORAL_API_KEY: .* refuses us the namespace "default".*Set a key that may/);
});

function configFor(address: string) {
  return loadConfig({ env: { TEMPORAL_ADDRESS: address }, cwd: "/nowhere" });
}

async function namespaces(connection: NativeConnection): Promise<(string | null | undefined)[]> {
  const { namespaces: all } = await connection.workflowService.listNamespaces({});
  return all!.map(({ namespaceInfo }) => namespaceInfo?.name);
}

/** The server of all tests, at another port. */
async function forward(port: number): Promise<void> {
  const [host, real] = temporalAddress().split(":");
  const server = createServer((from) => {
    const to = connect(Number(real), host);
    from.pipe(to).pipe(from);
    for (const each of [from, to]) each.on("error", () => [from, to].forEach((socket) => socket.destroy()));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  expect((server.address() as AddressInfo).port).toBe(port);
  onTestFinished(() => void server.close());
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "mw-reach-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
