import { expect, it } from "vitest";
import { textsLast } from "../../cli/texts-last.ts";

it.each([
  [
    ["search", "total is wrong", "--repo", "."],
    ["search", "total is wrong", "--repo", "."],
  ],
  [
    ["search", "- total is wrong", "--repo", "."],
    ["search", "--repo", ".", "--", "- total is wrong"],
  ],
  [
    ["search", "--repo", ".", "--", "- total is wrong"],
    ["search", "--repo", ".", "--", "- total is wrong"],
  ],
  [
    ["remember", "-1 is no\nsum", "--by", "ada", "--", "x"],
    ["remember", "--by", "ada", "--", "-1 is no\nsum", "x"],
  ],
  [
    ["id", "--reason=it is wrong", "-x"],
    ["id", "--reason=it is wrong", "-x"],
  ],
  [[], []],
])("a text that begins with a dash is no option (%#)", (given, expected) => {
  expect(textsLast(given)).toEqual(expected);
});
