import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../cli/commands.ts";
import { cli } from "./run-cli.ts";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "mw-cli-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("the command line", () => {
  it("says its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await cli(["--version"], { cwd })).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it.each([["--help"], ["-h"], ["help"]])("%s lists every command, without colours in a pipe", async (flag) => {
    const { code, out } = await cli([flag], { cwd });
    expect(code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^ +${name}  `, "m"));
    expect(out).not.toContain("\u001b");
  });

  it.each(Object.keys(COMMANDS))("%s --help says what it takes", async (name) => {
    const { code, out, err } = await cli([name, "--help"], { cwd });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`mergewright ${name}`);
  });

  it("without a command it shows the help and exits with 2", async () => {
    const { code, out, err } = await cli([], { cwd });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("COMMANDS");
  });

  it.each([
    [["statsu"], 'There is no command "statsu". Did you mean status?'],
    [["constructor"], 'There is no command "constructor".'],
    [["--verbose"], "There is no option --verbose"],
    [["status", "--jsno"], "There is no option --jsno. Did you mean --json?"],
    [["run", "--repo", "a/b", "--isue", "4"], "Did you mean --issue?"],
    [["run", "--repo", "a/b"], "--issue is missing"],
    [["run", "--repo", "--issue", "4"], "--repo needs a value"],
    [["run", "--repo=", "--issue=4"], "--repo needs a value"],
    [["run", "--repo", "a/b", "--repo", "a/c", "--issue", "4"], "--repo is given twice"],
    [["run", "--repo", "not-a-repository", "--issue", "4"], "Write OWNER/REPO"],
    [["run", "--repo", "a/b", "--issue", "4x"], "is not an issue's number"],
    [["run", "--repo", "a/b", "--issue", "0"], "is not an issue's number"],
    [["run", "--repo", "a/b", "--issue", "1", "--wait=yes"], "--wait takes no value"],
    [["status", "nonsense"], "is not a run"],
    [["status", "a/b#1", "a/b#2"], "one argument too many"],
    [["approve"], "ID is missing"],
    [["approve", "a/b#1", "--sha", "abc"], "is not a full commit id"],
    [["approve", "a/b#1", "--by", "@ada"], "is not a GitHub login"],
    [["cancel", "a/b#1", "--by", "@ada"], "is not a GitHub login"],
    [["mcp", "--by", "@ada"], "is not a GitHub login"],
    [["start", "--port"], "--port needs a value"],
    [["start", "--port", "http"], "is not a port"],
    [["doctor", "--repo", "x"], "Write OWNER/REPO"],
  ])("%j is refused with exit code 2", async (args, told) => {
    const { code, out, err } = await cli(args, { cwd });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(told);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it.each([
    [["status", "nonsense", "--json"], "usage"],
    [["no-such-command", "--json"], "usage"],
    [["status", "--json", "--extra"], "usage"],
  ])("%j prints its error as one JSON document", async (args, code) => {
    const ended = await cli(args, { cwd });
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.out)).toEqual({ error: { code, message: expect.any(String) as string } });
    expect(ended.err).toBe("");
  });
});

describe("mergewright init", () => {
  it("writes the file once, and again only when told to", async () => {
    const path = join(cwd, "mergewright.yaml");
    expect((await cli(["init"], { cwd })).code).toBe(0);
    expect(readFileSync(path, "utf8")).toContain("require_review: true");
    writeFileSync(path, "auto_merge: true\n");
    const refused = await cli(["init", "--json"], { cwd });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: "exists" } });
    expect(readFileSync(path, "utf8")).toBe("auto_merge: true\n");
    const forced = await cli(["init", "--force", "--json"], { cwd });
    expect(forced.code).toBe(0);
    expect((JSON.parse(forced.out) as { file: string }).file).toContain("mergewright.yaml");
    expect(readFileSync(path, "utf8")).toContain("require_review: true");
  });

  it("says where it cannot write", async () => {
    const { code, err } = await cli(["init"], { cwd, env: { MERGEWRIGHT_CONFIG: "no/such/folder.yaml" } });
    expect(code).toBe(1);
    expect(err).toContain("ENOENT");
    expect(existsSync(join(cwd, "no"))).toBe(false);
  });
});

describe("a wrong configuration", () => {
  it("is told whole, with exit code 2, by every command that reads it", async () => {
    const env = { PORT: "x", LOG_LEVEL: "y" };
    for (const args of [["status"], ["doctor"], ["cancel", "a/b#1"], ["api"]]) {
      const { code, err } = await cli(args, { cwd, env });
      expect(code).toBe(2);
      expect(err).toMatch(/PORT: .*\n(.*\n)*LOG_LEVEL: /);
    }
    const { code, out } = await cli(["status", "--json"], { cwd, env });
    expect(code).toBe(2);
    const { error } = JSON.parse(out) as { error: { code: string; problems: string[] } };
    expect(error.code).toBe("configuration");
    expect(error.problems).toHaveLength(2);
  });

  it("start says that its state directory is none", async () => {
    const home = join(cwd, "a-file");
    writeFileSync(home, "");
    const env = { MERGEWRIGHT_HOME: home, ANTHROPIC_API_KEY: "key", GITHUB_TOKEN: "token" };
    const { code, err } = await cli(["start"], { cwd, env });
    expect(code).toBe(2);
    expect(err).toBe(
      `MERGEWRIGHT_HOME: ${home} cannot be used (EEXIST). Correct its permissions, or set MERGEWRIGHT_HOME to another directory.\n`,
    );
  });

  it("start, api and worker say which keys they miss; status needs none", async () => {
    for (const [name, ...keys] of [
      ["start", "ANTHROPIC_API_KEY", "GITHUB_TOKEN"],
      ["worker", "ANTHROPIC_API_KEY", "GITHUB_TOKEN"],
      ["api", "GITHUB_TOKEN"],
    ]) {
      const { code, err } = await cli([name!], { cwd });
      expect(code).toBe(2);
      for (const key of keys) expect(err).toContain(`${key}: it is missing`);
    }
    const { code, err } = await cli(["status"], { cwd });
    expect(code).toBe(1);
    expect(err).toContain("mergewright start");
  });
});
