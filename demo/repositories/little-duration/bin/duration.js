#!/usr/bin/env node
import { formatDuration, parseDuration } from "../src/index.js";

const text = process.argv.slice(2).join(" ");

try {
  if (text === "") throw new RangeError("Usage: duration MILLISECONDS | duration TEXT");
  const ms = Number(text);
  console.log(Number.isNaN(ms) ? parseDuration(text) : formatDuration(ms));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
