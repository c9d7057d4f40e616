import { expect, it } from "vitest";
import { SandboxLost } from "../../domain/errors.ts";
import type { Subject } from "./contract.ts";
import { drawKey, never, print, run, specOf } from "./harness.ts";

export function lifeContract(subject: Subject): void {
  it("opening again, or from another process, or many times at once, finds the same sandbox", async () => {
    const key = drawKey("open");
    const others = [subject.implementation.create(), subject.implementation.create()];
    const opened = await Promise.all(
      [subject.sandboxes, ...others, ...others].map((sandboxes) => sandboxes.open(specOf(key), never)),
    );
    await print(opened[0]!, "echo here > found");
    for (const sandbox of opened) expect(await print(sandbox, "cat found")).toBe("here\n");
    for (const other of others) other.disconnect();
    await subject.sandboxes.close(key);
  });

  it("an open sandbox is opened again without delay", async () => {
    const started = performance.now();
    for (let i = 0; i < 50; i++) await subject.sandboxes.open(specOf(subject.key), never);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("two sandboxes have nothing in common", async () => {
    const key = drawKey("other");
    const other = await subject.sandboxes.open(specOf(key), never);
    await print(subject.sandbox, "echo secret > only-here; cat only-here", { key: "same-key" });
    expect(await other.read("only-here", 10, never)).toEqual({ kind: "missing" });
    expect(await other.journal("same-key", never)).toBeNull();
    await subject.sandboxes.close(key);
  });

  it("closing ends what runs, and closing what is not open is fine", async () => {
    const key = drawKey("close");
    const sandbox = await subject.sandboxes.open(specOf(key), never);
    const running = run(sandbox, "trap '' TERM; sleep 300; sleep 300");
    running.catch(() => {});
    await print(sandbox, "true");
    await subject.sandboxes.close(key);
    await expect(
      Promise.race([running, new Promise((resolve) => setTimeout(resolve, 10_000, "still running"))]).then(
        (end) => (end as { kind?: string }).kind ?? end,
        (error) => error,
      ),
    ).resolves.not.toBe("still running");
    await expect(run(sandbox, "true")).rejects.toBeInstanceOf(SandboxLost);
    await subject.sandboxes.close(key);
    await subject.sandboxes.close(drawKey("never-opened"));
  });

  it("a sandbox that was closed is opened empty", async () => {
    const key = drawKey("again");
    const first = await subject.sandboxes.open(specOf(key), never);
    await print(first, "touch old");
    await subject.sandboxes.close(key);
    const second = await subject.sandboxes.open(specOf(key), never);
    expect(await second.read(second.tree, 1, never)).toEqual({ kind: "directory", entries: [] });
    await subject.sandboxes.close(key);
  });

  it("a sandbox that another process closed is lost for us, and opens anew", async () => {
    const key = drawKey("theirs");
    const sandbox = await subject.sandboxes.open(specOf(key), never);
    await print(sandbox, "touch old");
    await subject.implementation.create().close(key);
    await expect(run(sandbox, "true")).rejects.toBeInstanceOf(SandboxLost);
    const again = await subject.sandboxes.open(specOf(key), never);
    expect(await again.read("old", 1, never)).toEqual({ kind: "missing" });
    await subject.sandboxes.close(key);
  });

  it("opening is given up when the signal fires", async () => {
    const reason = new Error("no more");
    await expect(subject.sandboxes.open(specOf(drawKey("aborted")), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
}
