import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findDockerEngine } from "../../scripts/setup/docker-engine.mjs";
import { namesOfImage } from "../../scripts/setup/image-operations.mjs";
import { ensureSandboxImage } from "../../scripts/setup/sandbox-image.mjs";
import { describeDocker, sandboxImage } from "../support/presence.ts";

let root: string;
let lines: string[];
const log = { live: () => {}, line: (text: string) => void lines.push(text) };
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mergewright-image-"));
  lines = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function recipe(dockerfile: string, script: string): Promise<void> {
  const folder = join(root, "deploy", "sandbox");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "Dockerfile"), dockerfile);
  await writeFile(join(folder, "make-image.sh"), script);
}

describe("where no engine answers", () => {
  const nowhere = { DOCKER_HOST: "unix:///nowhere/docker.sock" };

  test("commands will run as plain processes, and the reason is told", async () => {
    expect(await ensureSandboxImage({ root, log, env: nowhere })).toEqual({
      kind: "local",
      reason: "no Docker engine answers (unix:///nowhere/docker.sock: there is no such socket)",
    });
  });

  test("an execution mode that needs one is an error", async () => {
    const ensuring = ensureSandboxImage({ root, log, env: { ...nowhere, EXECUTION_MODE: "docker" } });
    await expect(ensuring).rejects.toThrow(/EXECUTION_MODE=docker, but no Docker engine answers/);
  });

  test("EXECUTION_MODE=local does not even look for one", async () => {
    expect(await ensureSandboxImage({ root, log, env: { EXECUTION_MODE: "local" } })).toEqual({
      kind: "local",
      reason: "EXECUTION_MODE=local",
    });
  });
});

test.each([
  ["tcp://127.0.0.1:1", /nothing listens there/],
  ["ssh://host", /does not speak SSH/],
  ["banana", /not understood/],
])("DOCKER_HOST=%s is no engine, with the reason", async (host, reason) => {
  const engine = await findDockerEngine({ DOCKER_HOST: host });
  expect(engine).toMatchObject({ kind: "none", reason: expect.stringMatching(reason) });
});

describeDocker("where a Docker engine answers", () => {
  const name = `mergewright-setup-test-${randomUUID().slice(0, 8)}`;
  const env = () => ({ ...process.env, DOCKER_IMAGE: "", EXECUTION_MODE: "", MERGEWRIGHT_CACHE: join(root, "cache") });
  const ensure = () => ensureSandboxImage({ root, log, env: env(), name });

  async function engine() {
    const found = await findDockerEngine();
    if (found.kind === "none") throw new Error(found.reason);
    return found;
  }
  afterEach(async () => {
    const docker = await engine();
    const { body } = await docker.request(
      "GET",
      `/images/json?filters=${encodeURIComponent(JSON.stringify({ reference: [name] }))}`,
    );
    const tags = (JSON.parse(body) as { RepoTags: string[] }[])
      .flatMap(({ RepoTags }) => RepoTags)
      .filter((tag) => tag.startsWith(`${name}:`));
    for (const tag of tags) await docker.request("DELETE", `/images/${encodeURIComponent(tag)}?force=true`);
  });

  test("the image is built from its recipe once, and again when the recipe changes", async () => {
    await recipe(`FROM ${sandboxImage}\nLABEL recipe=1\n`, "exit 1\n");
    const first = await ensure();
    expect(first).toMatchObject({ kind: "docker", made: "built" });
    expect(await ensure()).toEqual({ ...first, made: "present" });
    expect(await namesOfImage(await engine(), `${name}:latest`)).toContain(`${name}:latest`);

    await recipe(`FROM ${sandboxImage}\nLABEL recipe=2\n`, "exit 1\n");
    const second = await ensure();
    expect(second).toMatchObject({ kind: "docker", made: "built" });
    expect(second).not.toMatchObject({ image: (first as { image: string }).image });
  });

  test("where the build fails, it is made from Debian packages by the script", async () => {
    await recipe("FROM no-such-registry.invalid/base\n", `docker tag ${sandboxImage} "$1"\n`);
    const found = await ensure();
    expect(lines[0]).toMatch(/^docker build: /);
    expect(found).toMatchObject({ kind: "docker", made: "assembled" });
  });

  test("where nothing works, the reasons are told and commands run as plain processes", async () => {
    await recipe("FROM no-such-registry.invalid/base\n", "echo 'only root can do this' >&2; exit 1\n");
    expect(await ensure()).toMatchObject({ kind: "local" });
    expect(lines.at(-1)).toBe("Debian packages: only root can do this");
  });

  test("an image that a person made under our name is kept", async () => {
    await recipe("FROM no-such-registry.invalid/base\n", "exit 1\n");
    const docker = await engine();
    await docker.request("POST", `/images/${encodeURIComponent(sandboxImage)}/tag?repo=${name}&tag=latest`);
    const names = await namesOfImage(docker, `${name}:latest`);
    // The same image may carry a recipe's name of the real set-up; then it is not a person's.
    const ofSetUp = names?.some((tag) => /:[0-9a-f]{12}$/.test(tag));
    expect(await ensure()).toMatchObject({ kind: "docker", image: `${name}:latest`, made: "present" });
    expect(lines.join("\n")).toMatch(ofSetUp ? /older deploy\/sandbox/ : /not made by set-up/);
  });

  test("an image that is named and cannot be had is an error that names it", async () => {
    const ensuring = ensureSandboxImage({
      root,
      log,
      env: { ...env(), DOCKER_IMAGE: "no-such-registry.invalid/image:1" },
    });
    await expect(ensuring).rejects.toThrow(/DOCKER_IMAGE names no-such-registry\.invalid\/image:1/);
  });
});
