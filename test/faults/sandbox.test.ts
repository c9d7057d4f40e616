/** Group D: what happens inside a container, to it, and to its engine. The real adapter against a real engine. */
import Docker from "dockerode";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { createDockerSandboxes, type DockerSandboxes } from "../../activities/adapters/sandbox/docker.ts";
import type { Checkpoint } from "../../activities/contract.ts";
import { checkpoint, markSafe, openWorkspace, sandboxKey } from "../../activities/workspace.ts";
import { SandboxLost, SandboxUnavailable, UnacceptableObjects } from "../../domain/errors.ts";
import type { Sandbox } from "../../domain/ports.ts";
import { git, REPOSITORY } from "../git/support.ts";
import { engine } from "../sandbox/engine.ts";
import { countProcesses, drawKey, marker, never, print, run, specOf, textOf, until } from "../sandbox/harness.ts";
import { describeDocker, describeIf } from "../support/presence.ts";
import { ownEngine, whyNoOwnEngine } from "./sandbox-engine.ts";
import { type WorkspaceBench, workspaceOn } from "./sandbox-workspace.ts";

const docker = new Docker();
const containersOf = (key: string) =>
  docker.listContainers({ all: true, filters: { label: [`mergewright.key=${key}`] } });

describeDocker("a sandbox", () => {
  const sandboxes = createDockerSandboxes(engine);
  const key = drawKey("rows");
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await sandboxes.open(specOf(key, { memory: "256m", workspace: "32m", pids: 100 }), never);
  });
  afterAll(async () => {
    await sandboxes.close(key);
    expect(await containersOf(key)).toEqual([]);
  });
  const isFine = async () => expect(await print(sandbox, "echo fine")).toBe("fine\n");
  /** Bytes in all places that it may write to: its work, its temporary files, and what the command server keeps. */
  const diskOfContainer = async () => {
    const script = `du -sxb . /tmp ${sandbox.scratch} | awk '{ bytes += $1 } END { print bytes }'`;
    return Number(await print(sandbox, script));
  };
  const processes = async () => Number(await print(sandbox, "ls -d /proc/[0-9]* | wc -l"));

  it("D1: a fork bomb ends with its command, and the sandbox lives", async () => {
    const result = await run(sandbox, "bomb() { bomb | bomb & }; bomb; sleep 30", { timeoutMs: 3_000 });
    expect(result.kind).toBe("timed-out");
    await isFine();
    expect(await processes()).toBeLessThan(20);
  });

  it("D2: a command that takes all memory ends with 137 and is not retried, while the container lives", async () => {
    const script = "echo x >> /tmp/tries; exec python3 -c 'x = []\nwhile True: x.append(bytearray(10_000_000))'";
    expect(await run(sandbox, script)).toMatchObject({ kind: "exited", exitCode: 137 });
    expect(await print(sandbox, "wc -l < /tmp/tries")).toBe("1\n");
    const [container] = await containersOf(key);
    expect(container!.State).toBe("running");
    await isFine();
  });

  it("D3: a full workspace is told, nothing is lost, and room can be made", async () => {
    await print(sandbox, "echo precious > precious");
    const full = await run(sandbox, "cat /dev/zero > big; echo ended with $?");
    expect(textOf(full)).toMatch(/No space left on device\nended with 1/);
    await run(sandbox, "cat /dev/zero > big2");
    expect(await sandbox.write("new", Buffer.alloc(100_000), {}, never)).toMatchObject({ kind: "no-space" });
    expect(textOf(await run(sandbox, "echo still here", { key: "on-full" }))).toBe("still here\n");
    expect(textOf(await run(sandbox, "echo run again", { key: "on-full" }))).toBe("still here\n");
    await print(sandbox, "rm big big2");
    expect(await sandbox.write("new", Buffer.alloc(100_000), {}, never)).toEqual({ kind: "written" });
    expect(await print(sandbox, "cat precious")).toBe("precious\n");
  });

  it("D4: of a command that ignores SIGTERM and leaves a child in a session of its own nothing is left", async () => {
    const argument = marker();
    const script = `trap '' TERM; setsid -f bash -c "trap '' TERM HUP; sleep ${argument}; :"; sleep ${argument}; sleep ${argument}`;
    const started = performance.now();
    expect(await run(sandbox, script, { timeoutMs: 1_500 })).toMatchObject({ kind: "timed-out" });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await countProcesses(sandbox, argument)).toBe(0);
    // The same when it ends by itself and leaves the child behind.
    expect(await run(sandbox, `setsid -f sleep ${argument}; exit 3`)).toMatchObject({ exitCode: 3 });
    expect(await countProcesses(sandbox, argument)).toBe(0);
  });

  it("D5: hundreds of megabytes on standard output fill neither the worker's memory nor the disk", async () => {
    const before = process.memoryUsage().rss;
    const diskBefore = await diskOfContainer();
    const result = await run(sandbox, "yes 'a line that is repeated for ever'", { timeoutMs: 3_000, keepBytes: 5_000 });
    expect(result.kind).toBe("timed-out");
    expect(result.output.totalBytes).toBeGreaterThan(50_000_000);
    expect([result.output.head.length, result.output.tail.length]).toEqual([5_000, 5_000]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    expect((await diskOfContainer()) - diskBefore).toBeLessThan(1_000_000);
    // Nor does the engine write it to a log of its own.
    const { HostConfig } = await docker.getContainer((await containersOf(key))[0]!.Id).inspect();
    expect(HostConfig.LogConfig?.Type).toBe("none");
    await isFine();
  });

  it("D6: binary output, terminal colours and split characters come as they were printed", async () => {
    const split = `printf '\\0\\377\\033[31mrot\\033[0m\\303'; sleep 0.05; printf '\\244'`;
    const bytes = Buffer.from((await run(sandbox, split)).output.head);
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0, 255]));
    expect(bytes.toString("utf8")).toContain("\u001B[31mrot\u001B[0mä");
    const all = `for byte in $(seq 0 255); do printf "\\\\x$(printf %x $byte)"; done`;
    const every = Buffer.from((await run(sandbox, all)).output.head);
    expect(every).toEqual(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  });

  it("D11: a missing image is told with how one is made, and leaves no container", async () => {
    const missing = drawKey("image");
    const opening = sandboxes.open(specOf(missing, { image: "registry.invalid/nothing/here:1" }), never);
    await expect(opening).rejects.toBeInstanceOf(SandboxUnavailable);
    await expect(opening).rejects.toThrow(/registry\.invalid\/nothing\/here:1.*cannot be pulled.*deploy\/sandbox/);
    expect(await containersOf(missing)).toEqual([]);
    await isFine();
  });
});

describeDocker("a full workspace", () => {
  it("D3: a change whose saving finds no room is told, and is safe with the next saving that does", async () => {
    const sandboxes = createDockerSandboxes(engine);
    const { parts, ref, bench } = await workspaceOn(sandboxes);
    onTestFinished(async () => {
      await sandboxes.close(sandboxKey(ref.run, ref.purpose));
      bench.end();
    });
    const { sandbox } = await openWorkspace(parts, ref, "row", never);
    const save = (name: string) => checkpoint(parts, ref, "coder", sandbox, name, never);
    // There is room for the change and for Git's copy of it, and none for the bundle.
    await print(sandbox, "echo ballast > .git/info/exclude; head -c 20000000 /dev/zero > ballast");
    await print(sandbox, "head -c 17000000 /dev/urandom > change");
    expect(await save("no-room")).toMatchObject({
      kind: "failed",
      reason: expect.stringMatching(/out of diskspace|no space/i),
    });
    await print(sandbox, "rm ballast");
    const saved = await save("room");
    if (saved.kind !== "saved") throw new Error(`It was not saved: ${JSON.stringify(saved)}`);
    await sandboxes.close(sandboxKey(ref.run, ref.purpose));
    const again = await openWorkspace(
      { ...parts, trees: new Map() },
      { ...ref, checkpoint: saved.checkpoint },
      "row",
      never,
    );
    expect(again.rebuilt).toBe(true);
    expect(await print(again.sandbox, "wc -c < change")).toBe("17000000\n");
  }, 60_000);
});

describeDocker("what a sandbox hands back", () => {
  const sandboxes = createDockerSandboxes(engine);
  let world: WorkspaceBench;
  let sandbox: Sandbox;
  /** Saves what changed, and builds upon it from then on. */
  const save = async (name: string) => {
    const saved = await checkpoint(world.parts, world.ref, "coder", sandbox, name, never);
    if (saved.kind === "saved") world.ref = { ...world.ref, checkpoint: saved.checkpoint };
    await markSafe(sandbox, saved, never);
    return saved;
  };
  beforeAll(async () => {
    world = await workspaceOn(sandboxes);
    ({ sandbox } = await openWorkspace(world.parts, world.ref, "row", never));
  });
  afterAll(async () => {
    await sandboxes.close(sandboxKey(world.ref.run, world.ref.purpose));
    expect(await containersOf(sandboxKey(world.ref.run, world.ref.purpose))).toEqual([]);
    world.bench.end();
  });

  it(
    "D7: a sparse file of 3 GB is not read into memory, and the agent is told that it cannot be saved",
    { timeout: 240_000 },
    async () => {
      await print(sandbox, "echo start > sparse; truncate -s 3G sparse");
      const before = process.memoryUsage().rss;
      const found = await sandbox.read("sparse", 5, never);
      expect(found).toMatchObject({ kind: "file", totalBytes: 3 * 1024 ** 3 });
      const started = performance.now();
      expect(await save("sparse")).toMatchObject({
        kind: "failed",
        reason: expect.stringMatching(/sparse is larger than/),
      });
      expect(performance.now() - started).toBeLessThan(10_000);
      // What the repository itself does not keep may be as large as it likes.
      await print(sandbox, "mv sparse built; echo built > .gitignore");
      expect((await save("ignored")).kind).toBe("saved");
      expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
      await print(sandbox, "rm -f built; echo fine > file");
      expect((await save("after-sparse")).kind).toBe("saved");
    },
  );

  const container = async () => {
    const [found] = await containersOf(sandboxKey(world.ref.run, world.ref.purpose));
    return docker.getContainer(found!.Id);
  };
  const removeContainer = async () => {
    await (await container()).remove({ force: true, v: true });
  };
  const expectRebuiltFrom = async (last: Checkpoint) => {
    world.ref = { ...world.ref, checkpoint: last };
    const again = await openWorkspace(world.parts, world.ref, "row", never);
    sandbox = again.sandbox;
    expect(again.rebuilt).toBe(true);
    expect(await print(sandbox, "cat kept; test -e large || echo gone")).toBe("saved\ngone\n");
    // Nothing half-made was kept: the next state builds upon the last good one.
    await print(sandbox, "echo more > kept");
    expect(await save("more")).toMatchObject({ kind: "saved" });
  };
  const savedState = async (): Promise<Checkpoint> => {
    await print(sandbox, "echo saved > kept");
    const last = await save("kept");
    if (last.kind !== "saved") throw new Error(`Nothing was saved: ${JSON.stringify(last)}`);
    await print(sandbox, "head -c 8000000 /dev/urandom > large");
    return last.checkpoint;
  };

  it(
    "D8: a container that is removed while its results are read is lost, and is rebuilt from the last saved state",
    { timeout: 120_000 },
    async () => {
      const last = await savedState();
      const inner = sandbox;
      let reads = 0;
      // All is collected inside, and the bundle is on its way out: frozen, nobody can send it before the container is gone.
      const read: Sandbox["read"] = async (...wanted) => {
        reads += 1;
        await (await container()).pause();
        const reading = inner.read(...wanted);
        await Promise.all([removeContainer(), reading.catch(() => undefined)]);
        return reading;
      };
      sandbox = new Proxy(inner, {
        get(target, name) {
          const value: unknown = name === "read" ? read : Reflect.get(target, name);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
      await expect(save("lost")).rejects.toBeInstanceOf(SandboxLost);
      expect(reads).toBe(1);
      await expectRebuiltFrom(last);
    },
  );

  it(
    "D8: a container that is removed while it collects its results is rebuilt from the last saved state",
    { timeout: 120_000 },
    async () => {
      const last = await savedState();
      await print(sandbox, "rm -f .git/mergewright-index; for n in $(seq 3000); do echo $n > many-$n; done");
      const saving = save("lost").catch((error: unknown) => error);
      await until("the collection has begun", async () =>
        (await print(sandbox, "ls .git")).includes("mergewright-index"),
      );
      await removeContainer();
      const outcome = await saving;
      expect(outcome instanceof SandboxLost || (outcome as { kind: string }).kind === "failed").toBe(true);
      await expectRebuiltFrom(last);
    },
  );

  it("D13: truncated and hostile archives from a container are refused, the process lives, and the mirror gets no ref of their choosing", async () => {
    const { bench } = world;
    const mirror = `${bench.root}/mirrors-1/acme/widgets.git`;
    const refs = () => git(mirror, ["--git-dir=.", "for-each-ref", "--format=%(refname)"]).split("\n");
    const before = refs();
    const script = `set -e
      mkdir ../scratch/hostile; cd ../scratch/hostile; git init -q .; git config user.name x; git config user.email x@x
      echo content > file; git add .; git commit -qm one; git bundle create -q good HEAD
      head -c 200 good > truncated; head -c 40 good > headless; : > empty
      head -c 100000 /dev/urandom > garbage
      { cat good; head -c 1000 /dev/zero; } > trailing
      sed 's/HEAD/refs\\/heads\\/..\\/..\\/escape/' good > escape
      blob=$(git hash-object -w file)
      for name in ../../etc/passwd .git/hooks/pre-commit; do
        tree=$(printf '100755 %s\\0' "$name" | cat - <(printf "$(echo $blob | sed 's/../\\\\x&/g')") | git hash-object -t tree -w --stdin --literally)
        git update-ref refs/heads/evil $(git commit-tree -m evil $tree); git bundle create -q "evil-\${#name}" refs/heads/evil
      done
      ls`;
    const names = (await print(sandbox, script)).trim().split("\n");
    const hostile = names.filter((name) => name !== "file" && name !== "good");
    expect(hostile.length).toBeGreaterThanOrEqual(8);
    const taken: string[] = [];
    for (const name of hostile) {
      const file = await sandbox.read(`${sandbox.scratch}/hostile/${name}`, 10_000_000, never);
      if (file.kind !== "file") throw new Error(`${name} is ${file.kind}`);
      await bench.mirror.take(REPOSITORY, file.content, never).then(
        () => taken.push(name),
        (error: unknown) => expect([name, error]).toEqual([name, expect.any(UnacceptableObjects)]),
      );
    }
    // What follows the pack is not read, and the name of the ref is not used: both come in as the plain commit.
    expect(taken).toEqual(["escape", "trailing"]);
    const added = refs().filter((ref) => !before.includes(ref));
    expect(added.filter((ref) => !/^refs\/(?:[\w-]+\/)*[0-9a-f]{40}$/.test(ref))).toEqual([]);
    expect(await bench.mirror.paths(REPOSITORY, bench.base, never)).toContain("README.md");
    // A link that leads out of the tree is not followed, and a pipe blocks nobody.
    await print(sandbox, "ln -sfn /etc/passwd way-out; mkfifo pipe");
    expect(await sandbox.read("way-out", 100, never)).toEqual({ kind: "outside" });
    expect(await sandbox.read("pipe", 100, never)).toEqual({ kind: "not-regular" });
    await print(sandbox, "rm way-out pipe");
  });
});

describeIf(whyNoOwnEngine)("an engine", () => {
  const own = ownEngine();
  const sandboxes: DockerSandboxes = createDockerSandboxes({ ...engine, dockerHost: own.dockerHost });
  const theirs = new Docker({ socketPath: own.dockerHost.slice("unix://".length) });
  afterAll(async () => {
    sandboxes.disconnect();
    await own.remove();
  });

  it(
    "D10: that is down at the start is told with what to do, and work begins when it is up",
    { timeout: 240_000 },
    async () => {
      const key = drawKey("down");
      const opening = sandboxes.open(specOf(key), never);
      await expect(opening).rejects.toBeInstanceOf(SandboxUnavailable);
      await expect(opening).rejects.toThrow(/no Docker engine answers at .*DOCKER_HOST/);
      await own.start();
      await own.load(engine.image);
      const sandbox = await sandboxes.open(specOf(key), never);
      expect(await print(sandbox, "echo up")).toBe("up\n");
      await sandboxes.close(key);
      expect(await theirs.listContainers({ all: true })).toEqual([]);
    },
  );

  it(
    "D9: that restarts in the middle of a command loses no work: it goes on, or is rebuilt from the last saved state",
    { timeout: 240_000 },
    async () => {
      await own.start();
      if ((await theirs.listImages({ filters: { reference: [engine.image] } })).length === 0)
        await own.load(engine.image);
      const world = await workspaceOn(sandboxes);
      const { sandbox } = await openWorkspace(world.parts, world.ref, "row", never);
      await print(sandbox, "echo saved > kept");
      const last = await checkpoint(world.parts, world.ref, "coder", sandbox, "kept", never);
      if (last.kind !== "saved") throw new Error(`Nothing was saved: ${JSON.stringify(last)}`);
      const ref = { ...world.ref, checkpoint: last.checkpoint };

      const running = run(sandbox, "touch began; sleep 60", { timeoutMs: 90_000 }).catch((error: unknown) => error);
      await until("the command runs", async () => (await sandbox.read("began", 1, never)).kind === "file");
      await own.stop();
      await own.start();
      // The engine ends its containers when it is stopped: the command cannot be found again, and nobody runs it blindly.
      const outcome = await running;
      expect(
        outcome instanceof SandboxLost ||
          outcome instanceof SandboxUnavailable ||
          (outcome as { kind: string }).kind === "unknown",
      ).toBe(true);
      const again = await openWorkspace(world.parts, ref, "row", never);
      expect(again.rebuilt).toBe(true);
      expect(await print(again.sandbox, "cat kept; test -e began || echo gone")).toBe("saved\ngone\n");
      const key = sandboxKey(ref.run, ref.purpose);
      expect(await theirs.listContainers({ all: true, filters: { label: [`mergewright.key=${key}`] } })).toHaveLength(
        1,
      );
      await sandboxes.close(key);
      expect(await theirs.listContainers({ all: true })).toEqual([]);
      expect((await theirs.listVolumes()).Volumes).toEqual([]);
      world.bench.end();
    },
  );
});
