import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../bin/duration.js", import.meta.url));
const run = (...parameters) => spawnSync(process.execPath, [program, ...parameters], { encoding: "utf8" });

test("a number is written as a duration", () => {
  assert.equal(run("5400000").stdout, "1h 30m\n");
});

test("a duration is read as milliseconds", () => {
  assert.equal(run("2d", "4h").stdout, "187200000\n");
});

test("anything else is an error on standard error", () => {
  const { status, stdout, stderr } = run("soon");
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /Not a duration: "soon"/);
});
