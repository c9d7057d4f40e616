import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findTemporalCli, type Installer } from "../../scripts/setup/temporal-cli.mjs";
import { downloadTemporalCli, downloadUrls } from "../../scripts/setup/temporal-download.mjs";
import { silentLog } from "../../scripts/setup/progress.mjs";
import { isOlder, TEMPORAL_CLI_VERSION } from "../../scripts/setup/temporal-version.mjs";

let folder: string;
let lines: string[];
const log = { live: () => {}, line: (text: string) => void lines.push(text) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mergewright-cli-"));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that calls itself a Temporal CLI of this version. */
async function standIn(path: string, says: string): Promise<string> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  return path;
}
const pinned = `temporal version ${TEMPORAL_CLI_VERSION} (Server 1.29.1, UI 2.42.1)`;
const cached = () =>
  join(folder, "cache", "temporal-cli", `${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`, "temporal");
const env = (more: Record<string, string> = {}) => ({
  PATH: join(folder, "bin"),
  MERGEWRIGHT_CACHE: join(folder, "cache"),
  ...more,
});
const gives = (says: string): Installer => ({
  name: "stand-in",
  install: (directory) => standIn(join(directory, "temporal"), says),
});
const fails = (name: string, reason: string): Installer => ({ name, install: () => Promise.reject(new Error(reason)) });

describe("the Temporal CLI is looked for in a fixed order", () => {
  test("TEMPORAL_CLI comes before the PATH", async () => {
    await standIn(join(folder, "bin", "temporal"), pinned);
    const named = await standIn(join(folder, "mine"), "temporal version 1.4.0 (Server 1.28.0, UI 2.39.0)");
    expect(await findTemporalCli({ log, env: env({ TEMPORAL_CLI: named }) })).toEqual({
      path: named,
      version: "1.4.0",
      source: "TEMPORAL_CLI",
    });
  });

  test("the PATH comes before the cache", async () => {
    await standIn(cached(), pinned);
    const path = await standIn(join(folder, "bin", "temporal"), "temporal version 1.9.1 (Server 1.31.0, UI 2.50.0)");
    expect(await findTemporalCli({ log, env: env() })).toEqual({ path, version: "1.9.1", source: "PATH" });
  });

  test("the cache comes before an installation", async () => {
    await standIn(cached(), pinned);
    const found = await findTemporalCli({ log, env: env(), installers: [fails("download", "must not be tried")] });
    expect(found).toEqual({ path: cached(), version: TEMPORAL_CLI_VERSION, source: "cache" });
    expect(lines).toEqual([]);
  });

  test("the installers are tried in turn, and each failure is one line", async () => {
    const installers = [fails("download from a", "blocked"), fails("download from b", "gone"), gives(pinned)];
    const found = await findTemporalCli({ log, env: env(), installers });
    expect(found).toEqual({ path: cached(), version: TEMPORAL_CLI_VERSION, source: "installed" });
    expect(lines).toEqual(["download from a: blocked", "download from b: gone"]);
    expect(readdirSync(join(cached(), ".."))).toEqual(["temporal"]);
  });
});

test("a TEMPORAL_CLI that cannot be run is an error that names it, not passed over", async () => {
  await standIn(join(folder, "bin", "temporal"), pinned);
  const looking = findTemporalCli({ log, env: env({ TEMPORAL_CLI: "/nowhere/temporal" }) });
  await expect(looking).rejects.toThrow(/TEMPORAL_CLI names \/nowhere\/temporal, but it cannot be run/);
});

const unfit = [
  ["temporal version 1.1.2 (Server 1.25.0, UI 2.30.3)", /version 1\.1\.2 is too old/],
  ["temporal version 0.0.0-DEV (Server 1.20.0, UI 2.0.0)", /too old/],
  ["Temporal: a calendar", /not a Temporal CLI/],
] as const;
test.each(unfit)("a program on the PATH that says %s is passed over with a line", async (says, reason) => {
  await standIn(join(folder, "bin", "temporal"), says);
  const found = await findTemporalCli({ log, env: env(), installers: [gives(pinned)] });
  expect(found.source).toBe("installed");
  expect(lines.join("\n")).toMatch(reason);
});

test("a build from source without a version stamp is judged by its server", async () => {
  await standIn(join(folder, "bin", "temporal"), "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)");
  expect(await findTemporalCli({ log, env: env() })).toMatchObject({
    source: "PATH",
    version: "0.0.0-DEV, server 1.29.1",
  });
});

test("an installation of another version than asked for is not kept", async () => {
  const installers = [gives("temporal version 1.2.0 (Server 1.26.0, UI 2.31.0)")];
  await expect(findTemporalCli({ log, env: env(), installers })).rejects.toThrow(/too old/);
  expect(existsSync(cached())).toBe(false);
});

test("when everything fails, one error tells each attempt and what to install", async () => {
  const looking = findTemporalCli({
    log,
    env: env(),
    installers: [fails("download", "blocked"), fails("build", "Go is not installed")],
  });
  await expect(looking).rejects.toThrow(
    /no program `temporal`[^]*download: blocked[^]*build: Go is not installed[^]*install the Temporal CLI/,
  );
});

test("without permission to install it only looks", async () => {
  const looking = findTemporalCli({ log, env: env(), allowInstall: false, installers: [gives(pinned)] });
  await expect(looking).rejects.toThrow(/There is no Temporal CLI/);
});

test("two that need it at once install it once", async () => {
  let installed = 0;
  const slow: Installer = {
    name: "slow",
    install: async (directory) => {
      installed += 1;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return standIn(join(directory, "temporal"), pinned);
    },
  };
  const both = await Promise.all([1, 2].map(() => findTemporalCli({ log, env: env(), installers: [slow] })));
  expect(installed).toBe(1);
  expect(both.map(({ source }) => source).toSorted()).toEqual(["cache", "installed"]);
});

test("a download that is refused or breaks off says so", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/refused") response.writeHead(403).end();
    else response.writeHead(200, { "content-length": "1000" }).write("half", () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  await expect(downloadTemporalCli(`${base}/refused`, join(folder, "a"), silentLog)).rejects.toThrow(/answered 403/);
  await expect(downloadTemporalCli(`${base}/broken`, join(folder, "b"), silentLog)).rejects.toThrow(
    /terminated|closed|aborted/,
  );
  server.close();
});

test("every published platform has two places to download from, another none", () => {
  for (const platform of ["linux", "darwin"] as const) {
    for (const arch of ["x64", "arm64"] as const) expect(downloadUrls(platform, arch)).toHaveLength(2);
  }
  expect(downloadUrls("linux", "riscv64")).toEqual([]);
});

test.each([
  ["1.2.9", "1.3.0", true],
  ["1.3.0", "1.3.0", false],
  ["1.10.0", "1.9.1", false],
  ["v1.3.0-rc.1", "1.3.0", false],
])("%s is older than %s: %s", (version, than, expected) => {
  expect(isOlder(version, than)).toBe(expected);
});
