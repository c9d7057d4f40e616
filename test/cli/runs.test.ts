import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type AccountServer, startAccountServer } from "./account-server.ts";
import { cli } from "./run-cli.ts";

const server = inject("temporalAddress");
const address = "value" in server ? server.value : "";
const name = `cli-${process.pid}`;
let cwd: string;
let github: AccountServer;
let env: Record<string, string>;

beforeAll(async () => {
  if ("missing" in server) throw new Error(server.missing);
  cwd = mkdtempSync(join(tmpdir(), "mw-cli-"));
  github = await startAccountServer();
  env = { TEMPORAL_ADDRESS: address, GITHUB_TOKEN: "a-token", GITHUB_API_URL: github.url };
});
afterAll(() => {
  github.close();
  rmSync(cwd, { recursive: true, force: true });
});

const document = async (args: string[], more: Record<string, string> = {}) => {
  const { code, out } = await cli([...args, "--json"], { cwd, env: { ...env, ...more } });
  return { code, value: JSON.parse(out) as Record<string, unknown> };
};

describe("runs from the command line", () => {
  const run = `${name}/hello#7`;
  const id = `issue/${name}/hello/7`;

  it("are started once", async () => {
    const first = await document(["run", "--repo", `${name}/Hello`, "--issue", "7"]);
    expect(first).toEqual({ code: 0, value: { id, kind: "started" } });
    const second = await document(["run", `--repo=${name}/hello`, "--issue=7"]);
    expect(second).toEqual({ code: 0, value: { id, kind: "already-running" } });
  });

  it("are shown one by one, by either name, and in a list", async () => {
    for (const word of [run, id, `ISSUE/${name}/HELLO/7`.replace("ISSUE", "issue")]) {
      expect(await document(["status", word])).toMatchObject({
        code: 0,
        value: { id, repository: `${name}/hello`, issue: 7 },
      });
    }
    const { code, out } = await cli(["status"], { cwd, env });
    expect(code).toBe(0);
    expect(out).toContain(`${name}/hello#7`);
    const listed = await cli(["status", "--json"], { cwd, env });
    expect(JSON.parse(listed.out)).toEqual(expect.arrayContaining([expect.objectContaining({ id })]));
  });

  it("of a namespace that is not there are told as such", async () => {
    const { code, err } = await cli(["status"], { cwd, env: { ...env, TEMPORAL_NAMESPACE: "no-such-namespace" } });
    expect(code).toBe(1);
    expect(err).toContain("Is TEMPORAL_NAMESPACE right?");
  });

  it("that are not there are not found", async () => {
    for (const args of [["status"], ["approve"], ["pause"], ["cancel"]]) {
      expect(await document([...args, `${name}/hello#99`])).toMatchObject({
        code: 1,
        value: { error: { code: "not-found" } },
      });
    }
  });

  it("a message that no worker takes is told as such", async () => {
    const { code, value } = await document(["pause", run]);
    expect(code).toBe(1);
    expect(value).toMatchObject({ error: { code: "no-answer", message: expect.stringContaining("worker") as string } });
  });

  it("are cancelled by whoever may reach the server", async () => {
    expect(await document(["cancel", run])).toEqual({ code: 0, value: { id, accepted: true } });
  });

  it("a message names its sender", async () => {
    expect(await document(["approve", run], { GITHUB_TOKEN: "" })).toMatchObject({
      code: 2,
      value: { error: { message: expect.stringContaining("--by") as string } },
    });
    expect(await document(["approve", run, "--by", "not a login"])).toMatchObject({ code: 2 });
    const refused = await document(["approve", run], { GITHUB_TOKEN: "another" });
    expect(refused).toMatchObject({ code: 1, value: { error: { code: "access-denied" } } });
  });

  it("are looked for on the embedded server that runs now, and nowhere else", async () => {
    writeFileSync(
      join(cwd, "temporal.json"),
      JSON.stringify({ address, webUi: "http://127.0.0.1:1", pid: process.pid }),
    );
    const { code, value } = await document(["status"], { TEMPORAL_ADDRESS: "", MERGEWRIGHT_HOME: cwd });
    expect({ code, value }).toMatchObject({ code: 1, value: { error: { code: "service-unavailable" } } });
  });

  it("a server that is away is told within seconds", async () => {
    const { code, value } = await document(["status"], { TEMPORAL_ADDRESS: "127.0.0.1:1" });
    expect({ code, value }).toMatchObject({
      code: 1,
      value: { error: { message: expect.stringContaining("127.0.0.1:1") as string } },
    });
  });
});
