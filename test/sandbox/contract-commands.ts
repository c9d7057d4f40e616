import { expect, it } from "vitest";
import type { Subject } from "./contract.ts";
import { print, run, textOf } from "./harness.ts";

export function commandContract(subject: Subject): void {
  it.each([
    ["true", 0],
    ["exit 3", 3],
    ["false; exit", 1],
    ["set -e; false; true", 1],
    ["exec bash -c 'exit 7'", 7],
    ["kill -9 $$", 137],
    ["if then", 2],
    ["no-such-program-anywhere", 127],
    ["", 0],
    ["# only a comment", 0],
  ])("the script %j exits with %i", async (script, exitCode) => {
    expect(await run(subject.sandbox, script)).toMatchObject({ kind: "exited", exitCode });
  });

  it("a script starts in the tree, with nothing to read and with both outputs in one", async () => {
    const text = await print(subject.sandbox, "pwd; cat; echo out; echo err >&2; echo end");
    expect(text).toBe(`${subject.sandbox.tree}\nout\nerr\nend\n`);
  });

  it("a command sees its own variables, a home of its own, and nothing of the worker", async () => {
    process.env.MERGEWRIGHT_TEST_SECRET = "hunter2";
    const text = await print(subject.sandbox, "env", { env: { GREETING: "two words\n'quoted'" } });
    delete process.env.MERGEWRIGHT_TEST_SECRET;
    expect(text).toContain("GREETING=two words\n'quoted'");
    expect(text).not.toContain("hunter2");
    expect(text).not.toMatch(/^(GITHUB|ANTHROPIC|TEMPORAL|npm)_/m);
    const names = text.match(/^[A-Z_]+(?==)/gm) ?? [];
    expect(names).toEqual(expect.arrayContaining(["HOME", "LANG", "PATH"]));
    await print(subject.sandbox, "test -w ~ && touch ~/.probe");
  });

  it("a variable whose name no shell takes is refused by name", async () => {
    await expect(run(subject.sandbox, "true", { env: { "A-B": "1" } })).rejects.toThrow(/"A-B" cannot name/);
  });

  it("only head and tail of a long output are kept, and all of it is counted", async () => {
    const { output } = await run(subject.sandbox, "seq 1 100000", { keepBytes: 1000 });
    expect(output.totalBytes).toBe(588_895);
    expect(Buffer.from(output.head).toString()).toMatch(/^1\n2\n3\n/);
    expect(Buffer.from(output.tail).toString()).toMatch(/\n99999\n100000\n$/);
    expect([output.head.length, output.tail.length]).toEqual([1000, 1000]);
  });

  it.each([
    [0, 0, 0],
    [5, 5, 0],
    [10, 10, 0],
    [11, 10, 1],
    [20, 10, 10],
    [21, 10, 10],
  ])("of %i bytes with 10 kept on each side, %i are head and %i tail", async (bytes, head, tail) => {
    const { output } = await run(subject.sandbox, `head -c ${bytes} /dev/zero | tr '\\0' x`, { keepBytes: 10 });
    expect([output.totalBytes, output.head.length, output.tail.length]).toEqual([bytes, head, tail]);
  });

  it("binary output, terminal colours and split characters come as they were printed", async () => {
    const script = `printf '\\0\\377\\033[31mrot\\033[0m\\303'; sleep 0.05; printf '\\244'; for byte in $(seq 0 255); do printf "\\\\x$(printf %x $byte)"; done`;
    const { output } = await run(subject.sandbox, script);
    const bytes = Buffer.from(output.head);
    expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0, 255]));
    expect(bytes.toString("utf8")).toContain("\u001B[31mrot\u001B[0mä");
    expect(bytes.subarray(-256)).toEqual(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  });

  it("hundreds of megabytes on standard output fill neither memory nor disk, and the command still ends in time", async () => {
    const started = performance.now();
    const result = await run(subject.sandbox, "yes 'a line that is repeated for ever'", {
      timeoutMs: 1500,
      keepBytes: 5000,
    });
    expect(result.kind).toBe("timed-out");
    expect(result.output.totalBytes).toBeGreaterThan(50_000_000);
    expect(result.output.tail.length).toBe(5000);
    expect(performance.now() - started).toBeLessThan(8000);
    expect(await print(subject.sandbox, "echo fine")).toBe("fine\n");
  });

  it("a script of a megabyte runs, and exits as it says", async () => {
    const result = await run(subject.sandbox, `: ${"x".repeat(1_000_000)}\necho long\nexit 4`);
    expect(result).toMatchObject({ kind: "exited", exitCode: 4 });
    expect(textOf(result)).toBe("long\n");
  });

  it("commands run side by side, each with its own output", async () => {
    const started = performance.now();
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, index) => print(subject.sandbox, `sleep 0.5; echo ${index}`)),
    );
    expect(results).toEqual(results.map((_, index) => `${index}\n`));
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("a small question is answered while a command runs", async () => {
    const slow = print(subject.sandbox, "sleep 1; echo slow");
    const started = performance.now();
    expect(await subject.sandbox.read("no/such/file", 10, new AbortController().signal)).toEqual({ kind: "missing" });
    expect(performance.now() - started).toBeLessThan(800);
    expect(await slow).toBe("slow\n");
  });
}
