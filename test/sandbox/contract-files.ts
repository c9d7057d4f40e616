import { createHash, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import type { Subject } from "./contract.ts";
import { drawKey, never, print } from "./harness.ts";

export function fileContract(subject: Subject): void {
  const text = (words: string) => Buffer.from(words);
  const read = (path: string, maxBytes = 1_000_000) => subject.sandbox.read(path, maxBytes, never);
  const write = (path: string, content: Uint8Array, options: { key?: string; mode?: number } = {}) =>
    subject.sandbox.write(path, content, options, never);

  it("what is written is read back, with folders made on the way", async () => {
    const path = `${drawKey("f")}/deep/er/ä file.txt`;
    expect(await write(path, text("content\n"))).toEqual({ kind: "written" });
    expect(await read(path)).toEqual({ kind: "file", content: text("content\n"), totalBytes: 8 });
    expect(await read(`${subject.sandbox.tree}/${path}`)).toMatchObject({ kind: "file" });
  });

  it.each([0, 1, 262_144, 262_145, 10_000_000])("a binary file of %i bytes comes back unchanged", async (bytes) => {
    const content = randomBytes(bytes);
    const path = drawKey("binary");
    expect(await write(path, content, { key: path })).toEqual({ kind: "written" });
    expect(await print(subject.sandbox, `sha256sum < ${path}`)).toContain(
      createHash("sha256").update(content).digest("hex"),
    );
    const back = await read(path, 20_000_000);
    expect(back.kind === "file" && Buffer.compare(back.content as Buffer, content)).toBe(0);
    await print(subject.sandbox, `rm ${path}`);
  });

  it("no more is read than was asked for, of a sparse file of three gigabytes too", async () => {
    await print(subject.sandbox, "echo start > sparse; truncate -s 3G sparse");
    const found = await read("sparse", 5);
    expect(found).toEqual({ kind: "file", content: text("start"), totalBytes: 3 * 1024 ** 3 });
    expect(await read("sparse", 0)).toMatchObject({ kind: "file", totalBytes: 3 * 1024 ** 3 });
    await print(subject.sandbox, "rm sparse");
  });

  it("a directory tells its names, sorted", async () => {
    const folder = drawKey("d");
    await print(subject.sandbox, `mkdir -p ${folder}/b && touch ${folder}/c ${folder}/.a "${folder}/with space"`);
    expect(await read(folder)).toEqual({ kind: "directory", entries: [".a", "b", "c", "with space"] });
    expect(await read(subject.sandbox.scratch)).toMatchObject({ kind: "directory" });
  });

  it("the mode is set when given, and kept when the file was there", async () => {
    const path = drawKey("mode");
    const mode = () => print(subject.sandbox, `stat -c %a ${path}`);
    await write(path, text("#!/bin/sh\n"));
    expect(await mode()).toBe("644\n");
    await write(path, text("#!/bin/sh\n"), { mode: 0o755 });
    expect(await mode()).toBe("755\n");
    await write(path, text("#!/bin/sh\necho\n"));
    expect(await mode()).toBe("755\n");
  });

  it("nothing outside of tree and scratch is read or written, by dots or by links", async () => {
    await print(
      subject.sandbox,
      "ln -sfn / root-link; ln -sfn ../.. up-link; ln -sfn /etc/passwd passwd; ln -sfn loop loop; mkdir -p in; ln -sfn /tmp in/out; ln -sfn /tmp/new-file dangling",
    );
    const { tree, scratch } = subject.sandbox;
    const outside = [
      "/etc/passwd",
      "../journal/x",
      "../../etc/passwd",
      "root-link/etc/passwd",
      "up-link/x",
      "passwd",
      "in/out/x",
      `${tree}-else/x`,
      `${scratch}/../journal`,
      "..",
      "/",
      "loop",
      "dangling",
      "a\0b",
    ];
    for (const path of outside) {
      expect([path, await read(path)]).toEqual([path, { kind: "outside" }]);
      expect([path, await write(path, text("x"))]).toEqual([path, { kind: "outside" }]);
    }
    expect(await print(subject.sandbox, "test -L passwd && test ! -e /tmp/new-file && echo untouched")).toBe(
      "untouched\n",
    );
  });

  it("links that stay inside are followed, and a write goes to what they point at", async () => {
    await print(
      subject.sandbox,
      `mkdir -p real; ln -sfn real alias; ln -sfn real/target link; ln -sfn ${subject.sandbox.scratch} to-scratch; ln -sfn real/not-yet new-link`,
    );
    expect(await write("link", text("one"))).toEqual({ kind: "written" });
    expect(await write("to-scratch/two", text("two"))).toEqual({ kind: "written" });
    expect(await write("new-link", text("three"))).toEqual({ kind: "written" });
    expect(await read("alias/target")).toMatchObject({ content: text("one") });
    expect(await read(`${subject.sandbox.scratch}/two`)).toMatchObject({ content: text("two") });
    expect(await print(subject.sandbox, "test -L link && test -L new-link && cat real/not-yet")).toBe("three");
  });

  it("what is no regular file is neither read nor replaced, and a pipe blocks nobody", async () => {
    await print(subject.sandbox, "rm -rf odd; mkdir -p odd/folder; mkfifo odd/pipe; touch odd/file");
    expect(await read("odd/pipe")).toEqual({ kind: "not-regular" });
    expect(await write("odd/pipe", text("x"))).toEqual({ kind: "not-regular" });
    expect(await write("odd/folder", text("x"))).toEqual({ kind: "not-regular" });
    expect(await write("odd/file/below", text("x"))).toEqual({ kind: "not-regular" });
    expect(await write("", text("x"))).toEqual({ kind: "not-regular" });
    expect(await read("odd/file/below")).toEqual({ kind: "missing" });
    expect(await read("odd/nothing")).toEqual({ kind: "missing" });
  });

  it("a write is seen whole or not at all", async () => {
    const path = drawKey("atomic");
    await write(path, Buffer.alloc(1_000_000, "a"));
    const watching = print(
      subject.sandbox,
      `for i in $(seq 200); do head -c1 ${path}; tail -c1 ${path}; echo; done | sort -u`,
    );
    for (let round = 0; round < 10; round++) await write(path, Buffer.alloc(1_000_000, round % 2 ? "a" : "b"));
    for (const line of (await watching).trim().split("\n")) expect(line).toMatch(/^[ab]{2}$/);
    expect(await read(path, 10)).toMatchObject({ totalBytes: 1_000_000 });
    await print(subject.sandbox, `rm ${path}; test -z "$(ls ../journal | grep -E '^part')"`);
  });

  it.each([
    ["nothing is done", "cat watched/file; ls watched", false],
    ["Git's own folder changes", "echo x > .git/x", false],
    ["something outside of the tree changes", 'echo x > "$HOME/x"', false],
    ["a file is written", "echo y > watched/file", true],
    ["a file is written and its time set back", "echo y > watched/file; touch -d 2001-01-01 watched/file", true],
    ["a file is removed", "rm watched/sub/other", true],
    ["a file is renamed", "mv watched/sub/other watched/sub/another", true],
    ["a mode changes", "chmod +x watched/file", true],
    ["a link is made", "ln -sfn file watched/link", true],
    ["a folder is made far below", "mkdir watched/sub/deeper", true],
  ])("it is seen whether the tree changed when %s", async (_, script, changed) => {
    const { sandbox } = subject;
    await print(sandbox, "rm -rf watched; mkdir -p .git watched/sub; touch watched/file watched/sub/other; sleep 0.05");
    const mark = `${sandbox.scratch}/${drawKey("mark")}`;
    await sandbox.write(mark, text(""), {}, never);
    await print(sandbox, "sleep 0.05");
    expect(await sandbox.changedSince(mark, never)).toBe(false);
    await print(sandbox, script);
    expect(await sandbox.changedSince(mark, never)).toBe(changed);
  });

  it("changes since a mark that is not there cannot be ruled out", async () => {
    expect(await subject.sandbox.changedSince("no-such-mark", never)).toBe(true);
    expect(await subject.sandbox.changedSince("/etc/passwd", never)).toBe(true);
  });

  it("a call whose signal fires is given up at once", async () => {
    const reason = new Error("enough");
    await expect(subject.sandbox.read("x", 1, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(subject.sandbox.write("x", text("x"), {}, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(subject.sandbox.journal("x", AbortSignal.abort(reason))).rejects.toBe(reason);
  });
}
