/** Engines that are away, hang, or lack the image. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import Docker from "dockerode";
import { afterAll, describe, expect, it } from "vitest";
import { createDockerSandboxes } from "../../activities/adapters/sandbox/docker.ts";
import { DockerEngine } from "../../activities/adapters/sandbox/docker-engine.ts";
import { ConfigurationError, SandboxUnavailable } from "../../domain/errors.ts";
import { engine, engineSocket, skipped } from "./engine.ts";
import { drawKey, never, specOf, textOf, until } from "./harness.ts";

const folder = await mkdtemp(join(tmpdir(), "mergewright-engine-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("an engine that is not there", () => {
  it.each(["unix:///nowhere/docker.sock", "tcp://127.0.0.1:9", "http://127.0.0.1:9"])(
    "%s is told with what to do",
    async (dockerHost) => {
      const sandboxes = createDockerSandboxes({ dockerHost });
      const opening = sandboxes.open(specOf("no-engine"), never);
      await expect(opening).rejects.toBeInstanceOf(SandboxUnavailable);
      await expect(opening).rejects.toThrow(/no Docker engine answers at .*DOCKER_HOST.*EXECUTION_MODE=local/);
      expect(await sandboxes.describe()).toMatchObject({ kind: "down", reason: expect.stringContaining(dockerHost) });
    },
  );

  it.each(["", "docker", "ftp://host", "ssh://host"])("the address %j is refused as configuration", (dockerHost) => {
    expect(() => new DockerEngine(dockerHost)).toThrow(ConfigurationError);
  });
});

describe("an engine that takes connections and never answers", () => {
  it("holds nobody longer than their signal or our time limit", async () => {
    const path = join(folder, "hanging.sock");
    const server = createServer(() => {}).listen(path);
    const sandboxes = createDockerSandboxes({ dockerHost: `unix://${path}` });
    const abort = new AbortController();
    const reason = new Error("cancelled");
    setTimeout(() => abort.abort(reason), 100);
    await expect(sandboxes.open(specOf("hanging"), abort.signal)).rejects.toBe(reason);
    const hung = new DockerEngine(`unix://${path}`).call("Asking", never, (docker) => docker.info(), 200);
    await expect(hung).rejects.toBeInstanceOf(SandboxUnavailable);
    await expect(hung).rejects.toThrow(/Asking failed: .* no answer within 0.2 s/);
    server.close();
  });
});

describe.skipIf(skipped !== null || engineSocket === null)(
  `an engine that goes away${skipped === null ? "" : ` (${skipped})`}`,
  () => {
    it("and comes back while a command runs has lost nothing", async () => {
      const path = join(folder, "passing.sock");
      const passing = new Set<Socket>();
      const listen = () =>
        createServer((client) => {
          const upstream = connect(engineSocket as string);
          for (const socket of [client, upstream]) passing.add(socket.on("error", () => socket.destroy()));
          client.pipe(upstream).pipe(client);
        }).listen(path);
      let proxy = listen();
      const sandboxes = createDockerSandboxes({ ...engine, dockerHost: `unix://${path}` });
      const key = drawKey("restart");
      const sandbox = await sandboxes.open(specOf(key), never);
      const asked = { key: "slow", script: "echo x >> count; sleep 3; cat count", timeoutMs: 30_000, keepBytes: 100 };
      const running = sandbox.run(asked, never);
      await until("the command has begun", async () => (await sandbox.read("count", 10, never)).kind === "file");
      proxy.close();
      for (const socket of passing) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      proxy = listen();
      expect(textOf(await running)).toBe("x\n");
      await sandboxes.close(key);
      sandboxes.disconnect();
      proxy.close();
    });
  },
);

describe.skipIf(skipped !== null)(`an engine that answers${skipped === null ? "" : ` (${skipped})`}`, () => {
  it("is described with its version, and says whether it has the image", async () => {
    expect(await createDockerSandboxes(engine).describe()).toMatchObject({
      kind: "answers",
      engine: expect.stringMatching(/^Docker \d+\./),
      imagePresent: true,
    });
    expect(await createDockerSandboxes({ ...engine, image: "mergewright-none:latest" }).describe()).toMatchObject({
      imagePresent: false,
    });
  });

  it("says of an image that it has not and cannot pull how one is made", async () => {
    const opening = createDockerSandboxes(engine).open(
      specOf(drawKey("image"), { image: "registry.invalid/nothing/here:1" }),
      never,
    );
    await expect(opening).rejects.toBeInstanceOf(SandboxUnavailable);
    await expect(opening).rejects.toThrow(/registry\.invalid\/nothing\/here:1.*cannot be pulled.*deploy\/sandbox/);
  });

  it("says what an image lacks in which nothing can run, and leaves no container of it", async () => {
    const docker = new Docker();
    const name = `mergewright-${drawKey("empty")}`;
    const key = drawKey("empty");
    const imported = await docker.importImage(Readable.from([Buffer.alloc(1024)]), { repo: name, tag: "latest" });
    await new Promise((resolve, reject) =>
      docker.modem.followProgress(imported, (error) => (error ? reject(error) : resolve(null))),
    );
    try {
      const opening = createDockerSandboxes(engine).open(specOf(key, { image: name }), never);
      await expect(opening).rejects.toBeInstanceOf(SandboxUnavailable);
      await expect(opening).rejects.toThrow(/perl.*deploy\/sandbox\/README\.md/s);
      expect(await docker.listContainers({ all: true, filters: { label: [`mergewright.key=${key}`] } })).toEqual([]);
    } finally {
      await docker.getImage(name).remove();
    }
  });

  it("refuses less memory than a container can live with, in words", async () => {
    await expect(
      createDockerSandboxes(engine).open(specOf(drawKey("tiny"), { memory: "1m" }), never),
    ).rejects.toBeInstanceOf(SandboxUnavailable);
    await expect(createDockerSandboxes(engine).open(specOf(drawKey("bad"), { memory: "much" }), never)).rejects.toThrow(
      /"much" is not a size/,
    );
  });

  it("gives no more processors than it has", async () => {
    const sandboxes = createDockerSandboxes(engine);
    const key = drawKey("cpus");
    await sandboxes.open(specOf(key, { cpus: 1000 }), never);
    await sandboxes.close(key);
  });
});
