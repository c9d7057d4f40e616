/** What stands in a sandbox when a step comes to it: with workers that die, and others that go on in the meantime. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createLocalSandboxes } from "../../activities/adapters/sandbox/local.ts";
import type { Checkpoint, WorkspaceRef } from "../../activities/contract.ts";
import { checkpoint, markSafe, openWorkspace, remember, type WorkspaceParts } from "../../activities/workspace.ts";
import { type WorkspaceBench, workspaceOn } from "../faults/sandbox-workspace.ts";
import { never } from "./harness.ts";

const roots = mkdtempSync(join(tmpdir(), "mergewright-workspaces-"));
let count = 0;
let world: WorkspaceBench;
let here: WorkspaceParts;
let elsewhere: WorkspaceParts;
let ref: WorkspaceRef;

beforeEach(async () => {
  const sandboxes = () => createLocalSandboxes({ allowed: true, root: join(roots, String(count++)) });
  world = await workspaceOn(sandboxes());
  here = world.parts;
  elsewhere = { ...here, sandboxes: sandboxes(), trees: new Map() };
  ref = world.ref;
});
afterAll(() => rmSync(roots, { recursive: true, force: true }));

/** One step: a command, and what changed made safe. Returns what the command printed, and whether the sandbox was built anew. */
async function step(on: WorkspaceParts, key: string, script: string): Promise<{ text: string; rebuilt: boolean }> {
  const { sandbox, rebuilt } = await openWorkspace(on, ref, key, never);
  const { output } = await sandbox.run({ key, script, timeoutMs: 30_000, keepBytes: 10_000 }, never);
  const saved = await checkpoint(on, ref, "coder", sandbox, key, never);
  await markSafe(sandbox, saved, never);
  if (saved.kind === "saved") ref = { ...ref, checkpoint: saved.checkpoint };
  remember(on, ref);
  return { text: Buffer.concat([output.head, output.tail]).toString(), rebuilt };
}

/** As after kill -9: the next one on the same machine knows nothing. */
function restarted(parts: WorkspaceParts): WorkspaceParts {
  return { ...parts, trees: new Map() };
}

const FILES = "ls *.txt | tr '\\n' ' '";

describe("a sandbox that is still there", () => {
  it("is built anew when the run has gone on elsewhere since, and has what was done there", async () => {
    await step(here, "1", "echo a > a.txt");
    expect((await step(elsewhere, "2", "echo b > b.txt")).rebuilt).toBe(true);
    for (const worker of [here, restarted(here)]) {
      const again = await step(worker, `3-${count++}`, FILES);
      expect(again.text.trim()).toBe("a.txt b.txt");
    }
  });

  it("is taken as it is by the next worker of its machine", async () => {
    await step(here, "1", "echo a > a.txt; echo ignored > .git/info/mine");
    const again = await step(restarted(here), "2", "cat .git/info/mine");
    expect(again).toEqual({ text: "ignored\n", rebuilt: false });
  });

  it("is built anew when a step that is not the next one has changed it", async () => {
    await step(here, "1", "echo a > a.txt");
    const { sandbox } = await openWorkspace(here, ref, "2", never);
    await sandbox.run({ key: "2", script: "echo lost > b.txt", timeoutMs: 30_000, keepBytes: 100 }, never);
    // Its worker dies; another finished the step elsewhere, and nothing was to be saved.
    expect((await step(restarted(here), "3", FILES)).text.trim()).toBe("a.txt");
  });

  it("keeps what an earlier attempt of the step that comes has done", async () => {
    await step(here, "1", "echo a > a.txt");
    const { sandbox } = await openWorkspace(here, ref, "2", never);
    await sandbox.run({ key: "2", script: "echo b >> b.txt", timeoutMs: 30_000, keepBytes: 100 }, never);
    expect((await step(restarted(here), "2", "echo b >> b.txt")).rebuilt).toBe(false);
    expect((await step(here, "3", "cat b.txt")).text).toBe("b\n");
  });

  it("is built anew for a step that begins at the base again", async () => {
    await step(here, "1", "echo a > a.txt");
    ref = { ...ref, checkpoint: null };
    expect((await step(here, "2", FILES)).text).not.toContain("a.txt");
  });
});

describe("a checkpoint", () => {
  it("whose result was not stored is found again by the next attempt", async () => {
    await step(here, "1", "echo a > a.txt");
    const { sandbox } = await openWorkspace(here, ref, "2", never);
    await sandbox.run({ key: "2", script: "echo b > b.txt", timeoutMs: 30_000, keepBytes: 100 }, never);
    const lost = await checkpoint(here, ref, "coder", sandbox, "2", never);
    expect(lost.kind).toBe("saved");
    // The worker dies before it has stored the result: the mark is not written.
    const worker = restarted(here);
    const again = await openWorkspace(worker, ref, "2", never);
    expect(again.rebuilt).toBe(false);
    expect(await checkpoint(worker, ref, "coder", again.sandbox, "2", never)).toEqual(lost);
    ref = { ...ref, checkpoint: (lost as { checkpoint: Checkpoint }).checkpoint };
    await step(worker, "3", "echo c > c.txt");
    expect((await step(elsewhere, "4", FILES)).text.trim()).toBe("a.txt b.txt c.txt");
  });

  it("that could not be written is none: what it held is saved with the next", async () => {
    await step(here, "1", "echo a > a.txt");
    const { sandbox } = await openWorkspace(here, ref, "2", never);
    // As a full disk does, it lets Git make the commit, and no bundle of it.
    const inTheWay = `${sandbox.scratch}/checkpoint.bundle.lock`;
    await sandbox.run(
      { key: "2", script: `echo b > b.txt; touch ${inTheWay}`, timeoutMs: 30_000, keepBytes: 100 },
      never,
    );
    expect(await checkpoint(here, ref, "coder", sandbox, "2", never)).toMatchObject({ kind: "failed" });
    await step(here, "3", `rm ${inTheWay}`);
    expect((await step(elsewhere, "4", FILES)).text.trim()).toBe("a.txt b.txt");
    await step(here, "5", "echo c > c.txt");
    expect((await step(elsewhere, "6", FILES)).text.trim()).toBe("a.txt b.txt c.txt");
  });
});
