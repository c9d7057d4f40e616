import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Finding } from "../../cli/checks/finding.ts";
import { limited, ok } from "../../cli/checks/finding.ts";
import { checkGit, checkHome, checkNode } from "../../cli/checks/machine.ts";
import { cli } from "./run-cli.ts";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "mw-doctor-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const nowhere = "http://127.0.0.1:1";
const down = {
  TEMPORAL_ADDRESS: "127.0.0.1:1",
  QDRANT_URL: nowhere,
  DOCKER_HOST: "unix:///no/such/engine.sock",
  ANTHROPIC_BASE_URL: nowhere,
  ANTHROPIC_API_KEY: "sk-ant-doctor-0123456789",
  GITHUB_API_URL: nowhere,
  GITHUB_TOKEN: "ghp_doctor0123456789",
};

describe("mergewright doctor", () => {
  it("with everything down it names each part, says how to mend it, and shows no key", async () => {
    const { code, out, err } = await cli(["doctor", "--json", "--repo", "octo/hello"], { cwd, env: down });
    expect({ code, err }).toEqual({ code: 1, err: "" });
    const { ok: good, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
    expect(good).toBe(false);
    const failed = findings.filter(({ state }) => state === "fail").map(({ name }) => name);
    for (const part of ["Temporal server", "Docker", "Claude", "GitHub", "Qdrant"]) expect(failed).toContain(part);
    for (const finding of findings) if (finding.state !== "ok") expect(finding.mend).toBeTruthy();
    expect(out).not.toContain("0123456789");
  });

  it("without keys it says which to set, in plain lines", async () => {
    const { code, out } = await cli(["doctor"], { cwd, env: { ...down, ANTHROPIC_API_KEY: "", GITHUB_TOKEN: "" } });
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL {2}Claude +There is no key\.\n +.*ANTHROPIC_API_KEY/m);
    expect(out).toMatch(/^FAIL {2}GitHub +There is no token\.\n +.*GITHUB_TOKEN/m);
    expect(out).toMatch(/^warn {2}Webhook .*\n +.*GITHUB_WEBHOOK_SECRET/m);
    expect(out).not.toContain("\u001b");
  });

  it("looks at a Temporal server's namespace", async () => {
    const server = inject("temporalAddress");
    if ("missing" in server) throw new Error(server.missing);
    const { out } = await cli(["doctor", "--json"], { cwd, env: { ...down, TEMPORAL_ADDRESS: server.value } });
    const { findings } = JSON.parse(out) as { findings: Finding[] };
    const state = (name: string) => findings.find((finding) => finding.name === name)?.state;
    expect(state("Temporal server")).toBe("ok");
    expect(state("Search attributes")).toBe("ok");
    // A dev server as it comes keeps ended runs for a day.
    expect(state("Retention")).toBe("warn");
    // No worker has been there yet.
    expect(findings.find(({ name }) => name === "Upkeep")).toMatchObject({
      state: "warn",
      what: expect.stringMatching(/^upkeep\/reconcile is missing.*upkeep\/retention is missing/),
    });
    const other = await cli(["doctor", "--json"], {
      cwd,
      env: { ...down, TEMPORAL_ADDRESS: server.value, TEMPORAL_NAMESPACE: "nobody" },
    });
    const found = (JSON.parse(other.out) as { findings: Finding[] }).findings.find(
      ({ name }) => name === "Temporal server",
    );
    expect(found).toMatchObject({ state: "fail", what: expect.stringContaining("nobody") as string });
  });
});

describe("a check", () => {
  it("that hangs or throws is a finding", async () => {
    const never = () => new Promise<Finding[]>(() => undefined);
    expect(await limited("Part", never, 20)).toMatchObject([{ name: "Part", state: "fail" }]);
    expect(await limited("Part", () => Promise.reject(new Error("broken")), 1000)).toMatchObject([
      { state: "fail", what: "broken" },
    ]);
    expect(await limited("Part", async () => [ok("Part", "Fine.")], 1000)).toEqual([ok("Part", "Fine.")]);
  });

  it("tells an old Node, a missing Git, and a place that cannot be written", async () => {
    expect(await checkNode("18.19.0")).toMatchObject([{ state: "fail" }]);
    expect(await checkNode("24.1.0")).toMatchObject([{ state: "ok" }]);
    expect(await checkGit({ PATH: "/nowhere" })).toMatchObject([
      { state: "fail", mend: expect.stringContaining("Install Git") as string },
    ]);
    const file = join(cwd, "a-file");
    writeFileSync(file, "");
    expect(
      await checkHome({
        home: join(file, "below"),
        artifacts: { kind: "s3", url: "", bucket: "b", prefix: "", endpoint: null, region: null, credentials: null },
      }),
    ).toMatchObject([{ state: "fail" }]);
  });
});
