import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { RequestRefused } from "../../domain/errors.ts";
import { artifactsContract } from "./contract.ts";

const root = mkdtempSync(join(tmpdir(), "artifacts-test-"));
let folders = 0;
const fresh = () => join(root, String(++folders));
afterAll(() => rmSync(root, { recursive: true, force: true }));

artifactsContract("a folder", async () => createFileArtifacts(fresh()));

it("a folder shares its artifacts between processes and leaves no temporary files", async () => {
  const dir = fresh();
  await createFileArtifacts(dir).put("a/b", new Uint8Array([1]));
  expect(await createFileArtifacts(dir).get("a/b")).toEqual(new Uint8Array([1]));
  expect(readdirSync(join(dir, ".unfinished"))).toEqual([]);
});

it("a key that is the folder of another is refused, and the other stays", async () => {
  const store = createFileArtifacts(fresh());
  await store.put("a/b", new Uint8Array([1]));
  await expect(store.put("a", new Uint8Array([2]))).rejects.toThrow(RequestRefused);
  await expect(store.put("a/b/c", new Uint8Array([2]))).rejects.toThrow(RequestRefused);
  await expect(store.putIfAbsent("a", new Uint8Array([2]))).rejects.toThrow(RequestRefused);
  await expect(store.putIfAbsent("a/b/c", new Uint8Array([2]))).rejects.toThrow(RequestRefused);
  expect(await store.get("a/b")).toEqual(new Uint8Array([1]));
});

it("what cannot be looked at is not said to be removed", async () => {
  const dir = fresh();
  const store = createFileArtifacts(dir);
  await store.put("runs/one/a", new Uint8Array([1]));
  // A link that leads to itself: to be looked at by nobody, root included.
  symlinkSync("two", join(dir, "runs", "two"));
  await expect(store.remove("runs/two")).rejects.toThrow("ELOOP");
  await expect(store.remove("runs", new Date(Date.now() + 1000))).rejects.toThrow("ELOOP");
});

it("a folder that was emptied under a running process is made again", async () => {
  const dir = fresh();
  const store = createFileArtifacts(dir);
  await store.put("a", new Uint8Array([1]));
  rmSync(dir, { recursive: true });
  await store.put("b", new Uint8Array([2]));
  expect(await store.get("a")).toBeNull();
  expect(await store.get("b")).toEqual(new Uint8Array([2]));
});

it("a process killed while it writes leaves whole artifacts only", async () => {
  const dir = fresh();
  const script = join(root, "writer.mts");
  const module = resolve("activities/adapters/artifacts/file.ts");
  writeFileSync(
    script,
    `import { createFileArtifacts } from ${JSON.stringify(module)};
     const store = createFileArtifacts(${JSON.stringify(dir)});
     for (let i = 0; ; i++) { await store.put("k" + (i % 5), new Uint8Array(500_000).fill(i % 250)); console.log(i); }`,
  );
  const child = spawn(process.execPath, ["--import", "tsx", script], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((done) => {
    let lines = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      lines += chunk.toString().split("\n").length - 1;
      if (lines > 8) done();
    });
  });
  child.kill("SIGKILL");
  await new Promise((done) => child.on("close", done));
  const store = createFileArtifacts(dir);
  for (const key of ["k0", "k1", "k2", "k3", "k4"]) {
    const content = (await store.get(key))!;
    expect(content.length).toBe(500_000);
    expect(new Set(content).size).toBe(1);
  }
});
