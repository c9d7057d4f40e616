/** What agents and their tests do to a container, and what becomes of it. */
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerSandboxes } from "../../activities/adapters/sandbox/docker.ts";
import { SandboxLost } from "../../domain/errors.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { engine, skipped } from "./engine.ts";
import { drawKey, never, print, run, specOf, textOf, until } from "./harness.ts";

describe.skipIf(skipped !== null)(`a container that is mistreated${skipped === null ? "" : ` (${skipped})`}`, () => {
  const docker = new Docker();
  const sandboxes = createDockerSandboxes(engine);
  const key = drawKey("faults");
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await sandboxes.open(specOf(key, { memory: "256m", workspace: "32m", pids: 100 }), never);
  });
  afterAll(() => sandboxes.close(key));

  const container = async (ofKey = key) => {
    const [found] = await docker.listContainers({ all: true, filters: { label: [`mergewright.key=${ofKey}`] } });
    return docker.getContainer(found!.Id);
  };
  const isFine = async () => expect(await print(sandbox, "echo fine")).toBe("fine\n");

  it("is closed to the outside and to its host, and says whose it is", async () => {
    const { Config, HostConfig, Mounts } = await (await container()).inspect();
    expect(Config).toMatchObject({
      User: "10001:10001",
      Labels: {
        "mergewright.app": "mergewright",
        "mergewright.run": key,
        "mergewright.repository": "octo/hello",
        "mergewright.key": key,
      },
    });
    expect(HostConfig).toMatchObject({
      NetworkMode: "none",
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Privileged: false,
      Memory: 256 * 1024 ** 2,
      MemorySwap: 256 * 1024 ** 2,
      NanoCpus: 2e9,
      PidsLimit: 100,
      Binds: null,
    });
    expect(Mounts.map(({ Type, Destination }) => ({ Type, Destination }))).toEqual([
      { Type: "volume", Destination: "/workspace" },
    ]);
  });

  it("has no network, no writable root, no privileges, and can run what it writes", async () => {
    const script = `ls /sys/class/net; (echo > /dev/tcp/1.1.1.1/53) 2>/dev/null && echo online; touch /usr/x 2>/dev/null && echo writable
      grep -E 'CapEff|NoNewPrivs' /proc/self/status; ls /var/run/docker.sock 2>/dev/null
      printf '#!/bin/sh\\necho ran $0\\n' | tee x /tmp/x >/dev/null; chmod +x x /tmp/x; ./x; /tmp/x; rm x /tmp/x`;
    expect(await print(sandbox, script)).toBe("lo\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nran ./x\nran /tmp/x\n");
  });

  it("survives a fork bomb, which ends with its command", async () => {
    const result = await run(sandbox, "bomb() { bomb | bomb & }; bomb; sleep 30", { timeoutMs: 3000 });
    expect(result.kind).toBe("timed-out");
    await isFine();
    expect(Number(await print(sandbox, "ls -d /proc/[0-9]* | wc -l"))).toBeLessThan(20);
  });

  it("survives a command that takes all memory: the command exits with 137", async () => {
    const result = await run(
      sandbox,
      `python3 -c 'x = []
while True: x.append(bytearray(10_000_000))'`,
    );
    expect(result).toMatchObject({ kind: "exited", exitCode: 137 });
    await isFine();
  });

  it("survives a full workspace: it is told, nothing is lost, and room can be made", async () => {
    await print(sandbox, "echo precious > precious; echo x > old.txt");
    const full = await run(sandbox, "cat /dev/zero > big; echo ended with $?");
    expect(full).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(textOf(full)).toMatch(/No space left on device\nended with 1/);
    await run(sandbox, "cat /dev/zero > big2");
    const written = await sandbox.write("new.txt", Buffer.alloc(100_000), { key: "full" }, never);
    expect(written).toMatchObject({ kind: "no-space", message: expect.stringContaining("No space left") });
    expect(await sandbox.write("old.txt", Buffer.alloc(100_000), {}, never)).toMatchObject({ kind: "no-space" });
    expect(await sandbox.read("old.txt", 10, never)).toMatchObject({ content: Buffer.from("x\n") });
    for (let i = 0; i < 20; i++)
      expect(textOf(await run(sandbox, `echo still here ${i}`, { key: `still-${i}` }))).toBe(`still here ${i}\n`);
    expect(textOf(await run(sandbox, "not rerun", { key: "still-7" }))).toBe("still here 7\n");
    const long = await run(sandbox, "seq 1 1000000", { keepBytes: 1_000_000 });
    expect(long.output.totalBytes).toBe(6_888_896);
    expect(long.output.head.length).toBe(1_000_000);
    await print(sandbox, "rm big big2");
    expect(await sandbox.write("new.txt", Buffer.alloc(100_000), { key: "full" }, never)).toEqual({ kind: "written" });
    expect(await print(sandbox, "cat precious")).toBe("precious\n");
  });

  it("a new server copes with a workspace that is full already", async () => {
    await run(sandbox, "cat /dev/zero > big");
    await run(sandbox, "cat /dev/zero > big2");
    const second = createDockerSandboxes(engine);
    const again = await second.open(specOf(key), never);
    expect(textOf(await run(again, "echo works", { key: "on-full" }))).toBe("works\n");
    expect(textOf(await run(sandbox, "echo rerun", { key: "on-full" }))).toBe("works\n");
    second.disconnect();
    await print(sandbox, "rm big big2");
  });

  it("kill -9 -1 costs the command and not the workspace", async () => {
    await print(sandbox, "echo kept > kept");
    const result = await run(sandbox, "kill -9 -1; sleep 5", { key: "kill-all" });
    expect(result.kind).toBe("unknown");
    expect(await print(sandbox, "cat kept")).toBe("kept\n");
    expect(await run(sandbox, "true", { key: "kill-all" })).toMatchObject({ kind: "unknown" });
  });

  it("stopping our own processes only delays: the command is given up as unknown", { timeout: 120_000 }, async () => {
    const result = await run(sandbox, "kill -STOP $PPID; sleep 1000", { timeoutMs: 500 });
    expect(result.kind).toBe("unknown");
    await isFine();
  });

  it("a container that is removed in the middle of a command or of reading is a lost sandbox, and opens anew", async () => {
    const lost = drawKey("removed");
    const first = await sandboxes.open(specOf(lost), never);
    await print(first, "head -c 30000000 /dev/zero > large");
    const running = run(first, "sleep 60").catch((error: unknown) => error);
    const reading = first.read("large", 30_000_000, never).catch((error: unknown) => error);
    await (await container(lost)).remove({ force: true, v: true });
    expect(await running).toBeInstanceOf(SandboxLost);
    const read = await reading;
    expect(read instanceof SandboxLost || (read as { kind: string }).kind === "file").toBe(true);
    await expect(first.write("x", Buffer.from("x"), {}, never)).rejects.toBeInstanceOf(SandboxLost);
    const again = await sandboxes.open(specOf(lost), never);
    expect(await again.read("large", 1, never)).toEqual({ kind: "missing" });
    await sandboxes.close(lost);
  });

  it("a stopped container has lost its workspace and is made anew, never passed off as the old one", async () => {
    const stopped = drawKey("stopped");
    const first = await sandboxes.open(specOf(stopped), never);
    await print(first, "touch old");
    await (await container(stopped)).kill();
    const again = await sandboxes.open(specOf(stopped), never);
    expect(await again.journal("seed", never)).toBeNull();
    expect(await again.read("old", 1, never)).toEqual({ kind: "missing" });
    await sandboxes.close(stopped);
  });

  it("a command server that is killed is replaced, and commands go on", async () => {
    const slow = run(sandbox, "sleep 2; echo whole");
    await print(
      sandbox,
      "for file in /proc/[0-9]*/cmdline; do { [[ $(tr -d '\\0' < $file) == mergewright-server* ]] && kill -9 $(basename $(dirname $file)); } 2>/dev/null; done; true",
    ).catch(() => {});
    expect(textOf(await slow)).toBe("whole\n");
  });

  it("a command can neither look into our own processes nor write into their pipes", async () => {
    const script = `for id in $(ps -eo pid,args | awk '/ mergewright-(server|supervisor)/ {print $1}'); do
        ls /proc/$id/fd /proc/$id/environ >/dev/null && cat /proc/$id/environ; echo junk > /proc/$id/fd/1
      done 2>/dev/null; echo looked`;
    expect(await print(sandbox, script)).toBe("looked\n");
  });

  it("closing leaves no container and no volume behind", async () => {
    const closed = drawKey("closed");
    const volumes = async () =>
      (await docker.listVolumes({ filters: { label: [`mergewright.key=${closed}`] } })).Volumes.length;
    await sandboxes.open(specOf(closed), never);
    expect(await volumes()).toBe(1);
    await sandboxes.close(closed);
    expect(await volumes()).toBe(0);
    expect(await docker.listContainers({ all: true, filters: { label: [`mergewright.key=${closed}`] } })).toEqual([]);
  });

  it("sandboxes that a dead worker left are found by their run and removed", async () => {
    const [left, other] = [drawKey("left"), drawKey("other")];
    await createDockerSandboxes(engine).open(specOf(left), never);
    await sandboxes.open(specOf(other), never);
    expect(await sandboxes.reap({ runKey: left, olderThanMs: 3_600_000 })).toEqual([]);
    expect(await sandboxes.reap({ runKey: left })).toEqual([left]);
    expect(await docker.listContainers({ all: true, filters: { label: [`mergewright.key=${left}`] } })).toEqual([]);
    expect(await docker.listContainers({ filters: { label: [`mergewright.key=${other}`] } })).toHaveLength(1);
    await sandboxes.close(other);
  });

  it("no server is left in the container for a worker that is gone", async () => {
    const many = Array.from({ length: 4 }, () => createDockerSandboxes(engine));
    for (const one of many) await one.open(specOf(key), never);
    for (const one of many) one.disconnect();
    const servers = async () => (await print(sandbox, "ps -eo args | grep -c '^mergewright-[s]erver'")).trim();
    await until("only our own server is left", async () => (await servers()) === "1");
  });
});
