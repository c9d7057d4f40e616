import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Packages that are loaded with these sources, before any of their code runs: static imports alone. */
async function loadedWith(...entries: string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: join(root, "node_modules", ".cache", "never-written"),
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    metafile: true,
    logLevel: "silent",
  });
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (output: string): void => {
    if (seen.has(output)) return;
    seen.add(output);
    for (const { path, kind, external } of metafile.outputs[output]?.imports ?? []) {
      if (kind !== "import-statement") continue;
      if (external) found.add(path);
      else visit(path);
    }
  };
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs))
    if (entryPoint !== undefined && entries.includes(entryPoint)) visit(output);
  return [...found].filter((name) => !name.startsWith("node:")).toSorted();
}

it("a search of code loads nothing but the parser of its arguments and the store", async () => {
  // Temporal's client alone costs more than a search may take.
  expect(await loadedWith("cli/main.ts", "cli/memory.ts", "cli/memory/code.ts")).toEqual(["citty"]);
  expect(await loadedWith("memory/store/embedded.ts")).toEqual(["libsql"]);
});
