import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { compiled } from "../../bin/compiled.mjs";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mergewright-compiled-"));
  await mkdir(join(root, "node_modules"));
  await writeFile(join(root, "part.ts"), "export const answer: number = 1;\n");
  await writeFile(join(root, "main.ts"), 'export { answer } from "./part.ts";\n');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const answer = async (): Promise<number> =>
  ((await import((await compiled(root, "main.ts"))!)) as { answer: number }).answer;

it("A kept program is used as long as its sources are the same, and made anew when one changed", async () => {
  expect(await answer()).toBe(1);
  const first = await compiled(root, "main.ts");
  expect(await compiled(root, "main.ts")).toBe(first);
  await writeFile(join(root, "part.ts"), "export const answer: number = 2;\n");
  expect(await answer()).toBe(2);
  expect(await compiled(root, "main.ts")).not.toBe(first);
});

it("A change that keeps length and only moves the time is seen too", async () => {
  await answer();
  const before = await compiled(root, "main.ts");
  await utimes(join(root, "part.ts"), new Date(), new Date(Date.now() + 5_000));
  expect(await compiled(root, "main.ts")).not.toBe(before);
});

it("Where nothing can be compiled or kept there is none, and the sources have to do", async () => {
  await writeFile(join(root, "main.ts"), "this is not a program");
  expect(await compiled(root, "main.ts")).toBeNull();
  const file = join(root, "part.ts");
  expect(await compiled(file, "main.ts")).toBeNull();
  expect(await readFile(file, "utf8")).toContain("answer");
});
