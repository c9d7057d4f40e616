/** The embedded store under kill -9 and under two processes at once, as separate programs see it. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { memoryFile } from "../../config/memory.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { cli, spawnCli } from "../cli/run-cli.ts";
import { makeRepository, type TestRepository } from "./repository.ts";

let home: string;
let repository: TestRepository;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "mergewright-crash-"));
  repository = makeRepository();
  repository.commit(
    "Many",
    Object.fromEntries(
      Array.from({ length: FILES }, (_, at) => [
        `src/f${at}.ts`,
        `export function unique${at}() {\n${"  // some words of this file\n".repeat(40)}}\n`,
      ]),
    ),
  );
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  repository.remove();
});

/** Seven batches. */
const FILES = 1_400;

const index = () => cli(["memory", "index", repository.folder, "--json"], { cwd: home });
const find = async (query: string): Promise<string[]> => {
  const { code, out } = await cli(["memory", "search", query, "--repo", repository.folder, "--json"], { cwd: home });
  expect(code).toBe(0);
  return (JSON.parse(out) as { path: string }[]).map(({ path }) => path);
};

it("An index killed in the middle of writing goes on from what it had, and ends complete", async () => {
  const store = openEmbeddedStore(memoryFile(join(home, ".mergewright")));
  const scope = { tenant: "local", repository: realpathSync(repository.folder) };
  const held = async () => (await store.groups(scope, "file:", new AbortController().signal)).size;
  const child = spawnCli(["memory", "index", repository.folder], { cwd: home });
  const ended = new Promise<unknown>((resolve) => child.once("close", (_, killer) => resolve(killer)));
  // Killed as soon as the first of seven batches is there.
  while (child.exitCode === null && (await held()) === 0) await sleep(5);
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  const left = await held();
  await store.close();
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(FILES);
  const { code, out } = await index();
  expect(code).toBe(0);
  const report = JSON.parse(out) as { files: number; changed: number };
  expect(report.files).toBe(FILES);
  expect(report.changed).toBe(FILES - left);
  expect((await find("unique1399"))[0]).toBe("src/f1399.ts");
  expect((await find("unique0"))[0]).toBe("src/f0.ts");
  // Nobody can know that the writer was killed and not slow: everything is compared once more.
  expect(JSON.parse((await index()).out)).toMatchObject({ files: FILES, changed: 0, removed: 0 });
  expect(JSON.parse((await index()).out)).toMatchObject({ unchanged: true });
});

it("Two processes may index the same repository at once, while a third searches", async () => {
  await index();
  repository.commit("Another", {
    "src/f0.ts": "export function renamedZero() {}\n",
    "src/new.ts": "export const brandNew = 1;\n",
  });
  const [one, other, found] = await Promise.all([index(), index(), find("unique7")]);
  expect([one.code, other.code]).toEqual([0, 0]);
  expect(found[0]).toBe("src/f7.ts");
  expect((await find("renamedZero"))[0]).toBe("src/f0.ts");
  expect((await find("brandNew"))[0]).toBe("src/new.ts");
  // Who ended last cannot know whose files the other wrote: everything is compared once, and nothing has to be written.
  expect(JSON.parse((await index()).out)).toMatchObject({ files: FILES + 1, changed: 0, removed: 0 });
  expect(JSON.parse((await index()).out)).toMatchObject({ unchanged: true });
});
