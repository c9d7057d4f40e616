/** Claude's tools in a sandbox of plain processes: real files, real commands, a real journal. */
import { mkdtemp, mkdir, readFile, rm, writeFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLocalSandboxes } from "../../activities/adapters/sandbox/local.ts";
import { runTool, type ToolResult } from "../../agents/tools.ts";
import type { Sandbox, Sandboxes } from "../../domain/ports.ts";

const EDITOR = "str_replace_based_edit_tool";
let root: string;
let sandboxes: Sandboxes;
let sandbox: Sandbox;
let calls = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "mergewright-tools-"));
  sandboxes = createLocalSandboxes({ allowed: true, root, path: process.env["PATH"] ?? "" });
  sandbox = await sandboxes.open(
    {
      key: "tools",
      runKey: "run",
      workflowId: "issue/mergewright/doctor/1",
      repository: "o/r",
      image: null,
      memory: null,
      cpus: null,
      pids: 512,
      workspace: "2g",
    },
    new AbortController().signal,
  );
  await mkdir(sandbox.tree, { recursive: true });
});
afterAll(async () => {
  await sandboxes.close("tools");
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  await rm(join(sandbox.tree, "src"), { recursive: true, force: true });
  await mkdir(join(sandbox.tree, "src"), { recursive: true });
  await writeFile(join(sandbox.tree, "src/a.js"), "one\ntwo\nthree\ntwo\n");
});

function tool(
  name: string,
  input: unknown,
  options: { key?: string; session?: string; output?: number; seconds?: number } = {},
): Promise<ToolResult> {
  return runTool(
    { id: "toolu_1", name, input },
    {
      sandbox,
      session: options.session ?? "main",
      key: options.key ?? `call-${++calls}`,
      limits: { output_characters: options.output ?? 10_000, command_seconds: options.seconds ?? 20 },
      signal: new AbortController().signal,
    },
  );
}
const bash = (command: string, options?: Parameters<typeof tool>[2]): Promise<ToolResult> =>
  tool("bash", { command }, options);
const edit = (input: Record<string, unknown>, options?: Parameters<typeof tool>[2]): Promise<ToolResult> =>
  tool(EDITOR, input, options);
const content = (path: string): Promise<string> => readFile(join(sandbox.tree, path), "utf8");

describe("bash", () => {
  it("tells what was printed, and nothing else, when all went well", async () => {
    expect(await bash("echo hello; echo world >&2")).toEqual({
      text: "hello\nworld",
      isError: false,
      mayHaveChanged: true,
    });
  });

  it("says so when nothing was printed", async () => {
    expect((await bash("true")).text).toBe("[exit code 0, no output]");
  });

  it("tells the exit code of a failure", async () => {
    expect((await bash("echo no; exit 3")).text).toBe("no\n[exit code 3]");
    expect((await bash("no-such-command-here")).text).toContain("[exit code 127: command not found]");
    expect((await bash("kill -9 $$")).text).toContain("137");
  });

  it("carries directory and exported variables on, and a restart ends that", async () => {
    await bash("cd src; export COLOUR=blue");
    expect((await bash('pwd; echo "$COLOUR"')).text).toMatch(/\/src\nblue$/);
    expect(await tool("bash", { restart: true })).toMatchObject({ isError: false });
    expect((await bash('pwd; echo "[$COLOUR]"; echo "$PATH"')).text).toBe(
      `${sandbox.tree}\n[]\n${process.env["PATH"]}`,
    );
  });

  it("knows a reading command from others", async () => {
    expect((await bash("ls")).mayHaveChanged).toBe(false);
    expect((await bash("touch src/b")).mayHaveChanged).toBe(true);
  });

  it("keeps head and tail of long output and says how much is missing", async () => {
    const result = await bash("seq 1 200000", { output: 2000 });
    expect(result.text).toMatch(/^1\n2\n3\n/);
    expect(result.text).toMatch(/\n199999\n200000$/);
    expect(result.text).toMatch(/\[\.\.\. about \d+ bytes of 1288895 left out here \.\.\.\]/);
    expect(result.text.length).toBeLessThan(2200);
    const little = await bash("seq 1 1000", { output: 2000 });
    expect(little.text).toMatch(/^1\n[^]*characters left out here[^]*\n1000$/);
  });

  it("cleans colours, progress bars and control characters", async () => {
    expect(
      (await bash(String.raw`printf '\033[1;31mred\033[0m \033]0;title\007ok\r\n10%%\r50%%\r100%%\nbell\007'`)).text,
    ).toBe("red ok\n100%\nbell");
  });

  it("does not show binary output", async () => {
    expect((await bash("head -c 3000 /dev/zero")).text).toBe(
      "[binary output, 3000 bytes, not shown; use a command that prints text, such as file, xxd or strings]",
    );
  });

  it("never cuts a character in half", async () => {
    const result = await bash(`printf '😀%.0s' $(seq 1 5000)`, { output: 1001 });
    expect(result.text).not.toMatch(/[\ud800-\udfff]/u);
    expect(result.text).not.toContain("\ufffd");
  });

  it("is stopped at its time limit, with advice", async () => {
    const result = await bash("echo begun; sleep 30", { seconds: 1 });
    expect(result).toMatchObject({ isError: true, mayHaveChanged: true });
    expect(result.text).toMatch(/^begun\n\[stopped after 1 s/);
  });

  it("runs once under one key", async () => {
    await bash("echo x >> src/log", { key: "once" });
    await bash("echo x >> src/log", { key: "once" });
    expect(await content("src/log")).toBe("x\n");
  });

  it.each([{}, { command: "" }, { command: 5 }, { restart: false }, null, "ls", []])(
    "wrong arguments %j are an error result",
    async (input) => {
      const result = await tool("bash", input);
      expect(result).toMatchObject({ isError: true, mayHaveChanged: false });
      expect(result.text).toContain("Expected");
    },
  );

  it("says that the outcome is unknown when the sandbox lost a command", async () => {
    const lost: Sandbox = {
      ...sandbox,
      tree: sandbox.tree,
      scratch: sandbox.scratch,
      run: () =>
        Promise.resolve({
          kind: "unknown",
          durationMs: 0,
          output: { head: new Uint8Array(), tail: new Uint8Array(), totalBytes: 0 },
        }),
    };
    const result = await runTool(
      { id: "t", name: "bash", input: { command: "ls" } },
      {
        sandbox: lost,
        session: "s",
        key: "k",
        limits: { output_characters: 1000, command_seconds: 1 },
        signal: new AbortController().signal,
      },
    );
    expect(result).toMatchObject({ isError: true, text: expect.stringContaining("outcome unknown") as string });
  });
});

describe("view", () => {
  it("numbers lines", async () => {
    expect((await edit({ command: "view", path: "src/a.js" })).text).toBe(
      "     1\tone\n     2\ttwo\n     3\tthree\n     4\ttwo",
    );
    expect((await edit({ command: "view", path: `${sandbox.tree}/src/a.js` })).text).toContain("three");
  });

  it("shows a range", async () => {
    expect((await edit({ command: "view", path: "src/a.js", view_range: [2, 3] })).text).toBe(
      "     2\ttwo\n     3\tthree",
    );
    expect((await edit({ command: "view", path: "src/a.js", view_range: [3, -1] })).text).toBe(
      "     3\tthree\n     4\ttwo",
    );
    expect((await edit({ command: "view", path: "src/a.js", view_range: [9, 10] })).text).toContain("has 4 lines");
  });

  it("lists a directory two levels deep", async () => {
    await mkdir(join(sandbox.tree, "src/deep/deeper"), { recursive: true });
    await writeFile(join(sandbox.tree, "src/deep/deeper/x"), "");
    await mkdir(join(sandbox.tree, "src/node_modules/lib"), { recursive: true });
    expect((await edit({ command: "view", path: "src" })).text).toBe(
      "src, two levels deep:\na.js\ndeep/\ndeep/deeper/\nnode_modules",
    );
    expect((await edit({ command: "view", path: "." })).text).toContain("src/\n");
  });

  it("cuts a long file and says how to see the rest", async () => {
    await writeFile(
      join(sandbox.tree, "src/long"),
      Array.from({ length: 5000 }, (_, index) => `line ${index}`).join("\n"),
    );
    const { text } = await edit({ command: "view", path: "src/long" }, { output: 2000 });
    expect(text.length).toBeLessThan(2300);
    expect(text).toContain("[5000 lines in all; use view_range");
  });

  it.each([
    ["src/missing", "does not exist"],
    ["/etc/passwd", "outside the workspace"],
    ["../../../etc/passwd", "outside the workspace"],
    ["src/link", "outside the workspace"],
    ["a\0b", "NUL"],
  ])("%j: %s", async (path, said) => {
    await symlink("/etc/passwd", join(sandbox.tree, "src/link"));
    const result = await edit({ command: "view", path });
    expect(result.isError).toBe(true);
    expect(result.text).toContain(said);
  });

  it("does not show a binary file", async () => {
    await writeFile(join(sandbox.tree, "src/bin"), Buffer.alloc(2000));
    expect((await edit({ command: "view", path: "src/bin" })).text).toContain("binary file of 2000 bytes");
  });
});

describe("edits", () => {
  it("create a file with its folders", async () => {
    expect(await edit({ command: "create", path: "src/new/b.js", file_text: "x\n" })).toMatchObject({
      isError: false,
      mayHaveChanged: true,
    });
    expect(await content("src/new/b.js")).toBe("x\n");
  });

  it("replace the one occurrence, and show the lines around it", async () => {
    const result = await edit({ command: "str_replace", path: "src/a.js", old_str: "three", new_str: "$& $1 3" });
    expect(result).toMatchObject({ isError: false, mayHaveChanged: true });
    expect(result.text).toContain("     3\t$& $1 3");
    expect(await content("src/a.js")).toBe("one\ntwo\n$& $1 3\ntwo\n");
  });

  it.each([
    ["two", "x", "occurs 2 times (lines 2, 4)"],
    ["four", "x", "was not found"],
    [" one", "x", "Line 1 is alike"],
    ["", "x", "old_str is empty"],
    ["one", "one", "are the same"],
  ])("replacing %j is refused: %s%s", async (old, fresh, said) => {
    const result = await edit({ command: "str_replace", path: "src/a.js", old_str: old, new_str: fresh });
    expect(result).toMatchObject({ isError: true, mayHaveChanged: false });
    expect(result.text).toContain(said);
    expect(await content("src/a.js")).toBe("one\ntwo\nthree\ntwo\n");
  });

  it("keep CRLF line ends, a byte order mark, and the mode of the file", async () => {
    await writeFile(join(sandbox.tree, "src/w.txt"), "\ufeffa\r\nb\r\nc\r\n", { mode: 0o755 });
    await edit({ command: "str_replace", path: "src/w.txt", old_str: "a\nb", new_str: "x\ny" });
    await edit({ command: "insert", path: "src/w.txt", insert_line: 3, insert_text: "d" });
    expect(await content("src/w.txt")).toBe("\ufeffx\r\ny\r\nc\r\nd\r\n");
    expect((await bash("stat -c %a src/w.txt", { session: "stat" })).text).toBe("755");
  });

  it.each([
    [0, "new\none\ntwo\nthree\ntwo\n"],
    [2, "one\ntwo\nnew\nthree\ntwo\n"],
    [4, "one\ntwo\nthree\ntwo\nnew\n"],
  ])("insert after line %d", async (line, expected) => {
    await edit({ command: "insert", path: "src/a.js", insert_line: line, insert_text: "new" });
    expect(await content("src/a.js")).toBe(expected);
  });

  it("insert where a file has no last line end, or no lines", async () => {
    await writeFile(join(sandbox.tree, "src/open"), "a\nb");
    await edit({ command: "insert", path: "src/open", insert_line: 1, insert_text: "x\n" });
    expect(await content("src/open")).toBe("a\nx\nb");
    await edit({ command: "insert", path: "src/open", insert_line: 3, insert_text: "c" });
    expect(await content("src/open")).toBe("a\nx\nb\nc\n");
    await writeFile(join(sandbox.tree, "src/empty"), "");
    await edit({ command: "insert", path: "src/empty", insert_line: 0, insert_text: "x" });
    expect(await content("src/empty")).toBe("x\n");
    expect((await edit({ command: "insert", path: "src/empty", insert_line: 5, insert_text: "x" })).text).toContain(
      "give 0 to 1",
    );
  });

  it("happen once, also when they are tried again", async () => {
    const again = { command: "insert", path: "src/a.js", insert_line: 0, insert_text: "new" };
    await edit(again, { key: "edit-once" });
    expect(await edit(again, { key: "edit-once" })).toMatchObject({ isError: false, mayHaveChanged: true });
    const replacement = { command: "str_replace", path: "src/a.js", old_str: "three", new_str: "three three" };
    await edit(replacement, { key: "replace-once" });
    expect(await edit(replacement, { key: "replace-once" })).toMatchObject({ isError: false });
    expect(await content("src/a.js")).toBe("new\none\ntwo\nthree three\ntwo\n");
  });

  it.each([
    [{ command: "str_replace", path: "src/missing", old_str: "a", new_str: "b" }, "does not exist"],
    [{ command: "str_replace", path: "src", old_str: "a", new_str: "b" }, "is a directory"],
    [{ command: "create", path: "/etc/mergewright-test", file_text: "x" }, "outside the workspace"],
    [{ command: "create", path: "../escape", file_text: "x" }, "outside the workspace"],
    [{ command: "create", path: "src/x", file_text: "\ud800" }, "lone surrogate"],
    [{ command: "undo_edit", path: "src/a.js" }, "Wrong arguments"],
    [{ command: "create", path: "src/x" }, "Wrong arguments"],
    [{ command: "insert", path: "src/a.js", insert_line: -1, insert_text: "x" }, "Wrong arguments"],
    [{}, "Wrong arguments"],
    [null, "Wrong arguments"],
  ])("%j is an error result: %s", async (input, said) => {
    const result = await tool(EDITOR, input);
    expect(result).toMatchObject({ isError: true, mayHaveChanged: false });
    expect(result.text).toContain(said);
  });

  it("leave alone what is not UTF-8", async () => {
    await writeFile(join(sandbox.tree, "src/latin"), Buffer.from([0x61, 0xe9, 0x0a]));
    expect((await edit({ command: "str_replace", path: "src/latin", old_str: "a", new_str: "b" })).text).toContain(
      "not UTF-8",
    );
    expect(await readFile(join(sandbox.tree, "src/latin"))).toEqual(Buffer.from([0x61, 0xe9, 0x0a]));
  });
});

describe("other calls", () => {
  it("an unknown tool is an error result that names the tools", async () => {
    const result = await tool("web_search", { query: "x" });
    expect(result).toMatchObject({ isError: true, mayHaveChanged: false });
    expect(result.text).toContain("bash, str_replace_based_edit_tool");
  });

  it("an inherited name is no tool", async () => {
    expect((await tool("constructor", {})).isError).toBe(true);
    expect((await tool("toString", {})).isError).toBe(true);
  });

  it("an input that was cut off is answered with advice", async () => {
    const result = await tool("bash", { INVALID_JSON: '{"comm' });
    expect(result).toMatchObject({ isError: true, mayHaveChanged: false });
    expect(result.text).toContain("smaller pieces");
  });
});
