import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createLocalSandboxes } from "../../activities/adapters/sandbox/local.ts";
import { SandboxUnavailable } from "../../domain/errors.ts";
import { sandboxContract } from "./contract.ts";
import { countProcesses, drawKey, marker, never, print, run, specOf, until } from "./harness.ts";

const root = await mkdtemp(join(tmpdir(), "mergewright-local-"));
afterAll(() => rm(root, { recursive: true, force: true }));

sandboxContract("a local sandbox", () => ({
  create: () => createLocalSandboxes({ allowed: true, root }),
  clientArguments: ["local", root],
}));

it("local sandboxes are refused unless they were asked for", () => {
  expect(() => createLocalSandboxes({ allowed: false, root })).toThrow(SandboxUnavailable);
});

it("a key that could leave the folder is refused", async () => {
  const sandboxes = createLocalSandboxes({ allowed: true, root });
  for (const key of ["../x", "", "a/b", ".", "x".repeat(64)])
    await expect(sandboxes.open(specOf(key), never)).rejects.toThrow(/cannot be the key/);
});

it("reaping ends the sandboxes of one run, with what runs in them, and leaves the others", async () => {
  const sandboxes = createLocalSandboxes({ allowed: true, root });
  const [mine, other] = [drawKey("mine"), drawKey("other")];
  const sandbox = await sandboxes.open(specOf(mine), never);
  const witness = await sandboxes.open(specOf(other), never);
  const argument = marker();
  run(sandbox, `trap '' TERM; setsid -f sleep ${argument}; sleep ${argument}`).catch(() => {});
  await until("it runs", async () => (await countProcesses(witness, argument)) === 2);
  expect(await createLocalSandboxes({ allowed: true, root }).reap({ runKey: mine, olderThanMs: 60_000 })).toEqual([]);
  expect(await createLocalSandboxes({ allowed: true, root }).reap({ runKey: mine })).toEqual([mine]);
  expect(await countProcesses(witness, argument)).toBe(0);
  expect(await print(witness, "echo fine")).toBe("fine\n");
  await sandboxes.close(other);
  expect(await readdir(root)).not.toContain(mine);
});
