import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { commandLineOf } from "../../workers/temporal-process.ts";
import { cli, spawnCli } from "./run-cli.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "mw-start-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

// GitHub and Claude are not asked anything before a run needs them.
const env = {
  ANTHROPIC_API_KEY: "sk-ant-start-0123456789",
  GITHUB_TOKEN: "ghp_start0123456789",
  GITHUB_API_URL: "http://127.0.0.1:1",
  EXECUTION_MODE: "local",
};

it("mergewright start brings everything up, other commands find it, and a signal ends it in order", async () => {
  const child = spawnCli(["start", "--port", "0"], { cwd, env });
  let log = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(child, "exit");
  try {
    await expect.poll(() => log, { timeout: 50_000 }).toContain("Mergewright is up");
    const state = JSON.parse(readFileSync(join(cwd, ".mergewright", "temporal.json"), "utf8")) as {
      address: string;
      pid: number;
    };
    expect(commandLineOf(state.pid)).toContain("start-dev");

    const status = await cli(["status", "--json"], { cwd, env });
    expect(status).toMatchObject({ code: 0, out: "[]\n" });
    const second = await cli(["start", "--port", "0"], { cwd, env });
    expect(second.code).toBe(2);
    expect(second.err).toContain("already runs Mergewright");

    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(commandLineOf(state.pid)).toBeNull();
    expect(existsSync(join(cwd, ".mergewright", "temporal.json"))).toBe(false);
    for (const line of log.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
    expect(log).not.toContain("0123456789");
  } finally {
    child.kill("SIGKILL");
  }
}, 120_000);
