#!/usr/bin/env node
// Starts the command line: from the sources (a clone, through tsx) or from what the build made of them.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compiled } from "./compiled.mjs";

const OLDEST_NODE = [20, 20];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  fail(`Mergewright needs Node ${OLDEST_NODE.join(".")} or newer, this is ${process.versions.node}.`);
}

const source = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const built = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
if (
  !existsSync(new URL("../node_modules", import.meta.url)) &&
  !existsSync(new URL("../../../node_modules", import.meta.url))
) {
  fail("Mergewright's dependencies are not installed. Run `npm install` in its folder first.");
}

/** Commands that a program may call many times: they do not wait for the compiler. */
const QUICK = new Set(["memory", "mcp"]);

let main;
const quick =
  existsSync(source) && QUICK.has(process.argv[2] ?? "")
    ? await compiled(fileURLToPath(new URL("..", import.meta.url)), "cli/main.ts")
    : null;
if (quick !== null) {
  ({ main } = await import(quick));
} else if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  // Ours, not that of the folder in which the command was typed.
  register({ tsconfig: fileURLToPath(new URL("../tsconfig.json", import.meta.url)) });
  ({ main } = await import(pathToFileURL(source).href));
} else if (existsSync(built)) {
  ({ main } = await import(pathToFileURL(built).href));
} else {
  fail("Mergewright is incomplete: neither its sources nor a build is here. Run `npm run build`, or install it again.");
}
await main(process.argv.slice(2));

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
