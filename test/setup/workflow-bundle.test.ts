import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { workflowBundle } from "../support/temporal.ts";

test("no validation library and no Node module gets into the workflow code", async () => {
  const code = await readFile(workflowBundle(), "utf8");
  const modules = [...code.matchAll(/^\/\*\*\*\/ "(\.{1,2}\/[^"]+)"$/gm)].map(([, name = ""]) => name);
  expect(modules.length).toBeGreaterThan(10);
  expect(modules.filter((name) => /node_modules\/zod\//.test(name))).toEqual([]);
});
