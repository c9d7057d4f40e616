/** The demo as a stranger runs it: `demo/run.ts` as a process of its own. About 70 s alone, three runs of 15 to 30 s. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { DemoDocument } from "../../demo/run.ts";
import { DEFAULT_DEMO_REPOSITORY, demoRepositories } from "../../demo/repositories/index.ts";
import { describeDocker } from "../support/presence.ts";
import { surroundings } from "./support.ts";

const LIMIT_MS = 300_000;
const root = fileURLToPath(new URL("../../", import.meta.url));

describeDocker("npm run demo, with sandboxes in Docker", () => {
  for (const name of Object.keys(demoRepositories)) {
    it(
      `resolves the issue of ${name}, prints one document, and leaves nothing behind`,
      () => resolves(name, "docker"),
      LIMIT_MS,
    );
  }
});

describe("npm run demo, with plain processes for sandboxes", () => {
  it(
    "resolves the issue of the default repository just so",
    () => resolves(DEFAULT_DEMO_REPOSITORY, "local"),
    LIMIT_MS,
  );
});

describe("npm run demo, asked for what there is not", () => {
  it("exits with 2, and prints the usage and no document", async () => {
    const { code, stdout, stderr } = await demo(["--json", "--repository", "nothing-such"], {});
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("There is no demo repository nothing-such.");
    expect(stderr).toContain("Usage:");
  });
});

async function resolves(name: string, sandbox: "docker" | "local"): Promise<void> {
  const { env, containers } = surroundings(sandbox);
  const temporary = await mkdtemp(join(tmpdir(), "demo-test-"));
  try {
    const { code, stdout, stderr } = await demo(["--json", "--repository", name], { ...env, TMPDIR: temporary });
    expect(code, stderr).toBe(0);
    const document = JSON.parse(stdout) as DemoDocument;
    expect(document).toEqual(expectedOf(name, sandbox));
    expect(document.pullRequest!.mergeSha).not.toBe(document.pullRequest!.headSha);
    expect(document.outcome).toEqual({ kind: "merged", sha: document.pullRequest!.mergeSha });
    expectOrder(document.phases);
    // The narration is told beside it, to people.
    expect(stderr).toContain("Played here:");
    expect(await containers()).toEqual([]);
    // tsx keeps its own cache there; it outlives every program that runs under it.
    expect((await readdir(temporary)).filter((entry) => !entry.startsWith("tsx-"))).toEqual([]);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The whole document: what it says exactly, and of what kind is what differs from run to run. */
function expectedOf(name: string, sandbox: "docker" | "local"): object {
  const { owner } = demoRepositories[name]!;
  const repository = `${owner}/${name}`;
  const sha = expect.stringMatching(/^[0-9a-f]{40}$/);
  const url = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/);
  const output = expect.stringMatching(/\S/);
  return {
    outcome: { kind: "merged", sha },
    repository,
    issue: 1,
    pullRequest: {
      number: 2,
      headSha: sha,
      mergeSha: sha,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/.+\/pull\/2$/),
    },
    issueClosed: true,
    phases: expect.any(Array),
    turns: expect.any(Number),
    modelCalls: expect.any(Number),
    costUsd: expect.any(Number),
    sandbox,
    evidence: {
      failsOnBase: true,
      passesOnBranch: true,
      command: output,
      outputs: expect.arrayContaining([
        expect.objectContaining({ on: "base-with-new-tests", exitCode: 1, output }),
        expect.objectContaining({ on: "branch", exitCode: 0, output }),
      ]),
    },
    temporal: {
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      webUi: url,
      workflowId: `issue/${repository}/1`,
    },
    seconds: { setUp: expect.any(Number), run: expect.any(Number) },
  };
}

/** The story from its beginning to its end, with one round of review in between that sent the coder back. */
function expectOrder(phases: DemoDocument["phases"]): void {
  const work = ["working", "verifying", "opening-pull-request", "reviewing"];
  const names = phases.map(({ phase }) => phase);
  expect(names.slice(0, 7)).toEqual(["received", "classifying", "planning", ...work]);
  expect(names.slice(-3)).toEqual(["awaiting-approval", "merging", "merged"]);
  const rounds = names.slice(3, -3).filter((phase) => phase !== "awaiting-checks");
  expect(rounds).toEqual(Array.from({ length: rounds.length / work.length }, () => work).flat());
  const times = phases.map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function demo(flags: string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", "tsx", "demo/run.ts", ...flags], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
