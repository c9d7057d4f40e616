import { expect, it } from "vitest";
import { cleanTerminal } from "../../agents/tools/output.ts";

it.each([
  ["a progress bar", "10%\r50%\r100%\ndone\r\n", "100%\ndone\n"],
  ["a line that ends in a return", "abc\rdef\r", "def"],
  ["nothing but returns", "\r\r\r\nx", "\nx"],
  ["an empty text", "", ""],
])("a terminal would leave the same of %s", (_, text, left) => {
  expect(cleanTerminal(text)).toBe(left);
});

// An expression that backtracks takes hours for this one, and the worker with it.
it("one line of many megabytes is cleaned, with and without returns", () => {
  const long = "x".repeat(8_000_000);
  expect(cleanTerminal(long)).toBe(long);
  expect(cleanTerminal(`${long}\r${long}`)).toBe(long);
  expect(cleanTerminal("\r".repeat(1_000_000))).toBe("");
  expect(cleanTerminal("\u001b]".repeat(500_000))).toBe("");
});
