/**
 * The repository of the load. One test file reads all parts in one process, so that the tests of the last issue cost what
 * those of the first did: a benchmark of Mergewright, not of `node --test` with a process for each file.
 */
export const loadRepository: Record<string, string> = {
  "package.json": `${JSON.stringify(
    { name: "parts", version: "1.0.0", private: true, type: "module", scripts: { test: "node --test test/" } },
    null,
    2,
  )}\n`,
  "README.md": "# Parts\n\nA module for each part in `src`, and what it must give in `test/parts`.\n",
  "src/part-0.js": "export function part() {\n  return 0;\n}\n",
  "test/parts/0.json": "0\n",
  "test/parts.test.js": `import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("parts/", import.meta.url);

test("every part gives its number", async () => {
  for (const name of readdirSync(folder)) {
    const expected = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    const { part } = await import(\`../src/part-\${name.replace(".json", "")}.js\`);
    assert.equal(part(), expected);
  }
});
`,
};
