/** `npm run build`: TypeScript to dist/, with the files beside it that are read when the program runs. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { root } from "./setup/set-up.mjs";

/** Rooms of the product; tests, benchmarks and the demo's code bases stay behind. */
const ROOMS = [
  "agents",
  "activities",
  "api",
  "cli",
  "config",
  "deploy/sandbox",
  "demo",
  "domain",
  "memory",
  "workers",
  "workflows",
];
const COMPILED = new Set([".ts", ".mts", ".mjs", ".js"]);

const dist = join(root, "dist");
await rm(dist, { recursive: true, force: true });
const compiler = spawnSync(
  process.execPath,
  [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
if (compiler.status !== 0) process.exit(compiler.status ?? 1);

for (const room of ROOMS) {
  for (const entry of await readdir(join(root, room), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length);
    const inCodeBase = /^demo\/repositories\/[^/]+\//.test(path);
    if (!entry.isFile() || (COMPILED.has(extname(path)) && !inCodeBase)) continue;
    await mkdir(dirname(join(dist, path)), { recursive: true });
    await cp(join(root, path), join(dist, path));
  }
}
// Programs in dist/ find their version and name where they find them in the repository: one folder up from their room.
await cp(join(root, "package.json"), join(dist, "package.json"));
