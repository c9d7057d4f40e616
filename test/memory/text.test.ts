import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { countText } from "../../memory/code/document.ts";
import { stem } from "../../memory/text/stem.ts";
import { hashOf, saturate, vectorOf } from "../../memory/text/vector.ts";
import { TOKEN, wordsOf } from "../../memory/text/words.ts";

describe("A name is split as people speak of it", () => {
  it.each([
    ["parseJSONBody", ["pars", "json", "bodi"], ["parsejson", "jsonbodi", "parsejsonbodi"]],
    ["dark_mode", ["dark", "mod"], ["darkmod"]],
    ["HTTPServer", ["http", "serv"], ["httpserv"]],
    ["utf8", ["utf"], ["utf8"]],
    ["word", ["word"], []],
    ["404", ["404"], []],
    ["x", [], []],
    ["7", [], []],
    ["漢字変換", ["漢字", "字変", "変換"], []],
    ["修复parse_date的崩溃", ["修复", "pars", "dat", "的崩", "崩溃"], ["parsedat"]],
  ])("%s", (token, parts, joined) => {
    expect(wordsOf(token)).toEqual({ parts, joined });
  });

  it("in Chinese, where a comma is as wide as the rest, each clause by itself", () => {
    const text = "解析日期时崩溃，因为输入为空。";
    expect([...text.matchAll(TOKEN)].map(([token]) => token)).toEqual(["解析日期时崩溃", "因为输入为空"]);
  });

  it("data is not a name", () => {
    expect(wordsOf("a1".repeat(60))).toEqual({ parts: [], joined: [] });
  });
});

it("The names of a text are remembered without the text, and data not at all", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const megabytes = () => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const count = (at: number) => {
    const letters = String.fromCharCode(97 + (at % 20), 97 + Math.floor(at / 20));
    countText(`uniqueIdentifier${letters} data${letters}${"a".repeat(500_000)} ${" ".repeat(500_000)}`, new Map(), 1);
  };
  count(0);
  const before = megabytes();
  for (let at = 1; at <= 40; at += 1) count(at);
  expect(megabytes() - before).toBeLessThan(10);
});

describe("Forms of a word are one", () => {
  it.each([
    ["parse", "parser", "parsing", "parsed", "parses"],
    ["validate", "validation", "validator", "validated"],
    ["serialize", "serializer", "serialization", "serialise"],
    ["query", "queries"],
    ["match", "matches", "matching"],
    ["class", "classes"],
  ])("%s, %s, ...", (...forms) => {
    expect(new Set(forms.map(stem)).size).toBe(1);
  });

  it("different words stay apart", () => {
    expect(new Set(["status", "state", "static", "stream", "start", "string"].map(stem)).size).toBe(6);
  });

  it.each([
    ["cfg", "configuration"],
    ["dirs", "directory"],
    ["auth", "authentication"],
  ])("%s is short for %s", (short, long) => {
    expect(wordsOf(short).parts).toEqual(wordsOf(long).parts);
  });
});

describe("A sparse vector", () => {
  it("is sorted by index, each once", () => {
    const { indices, values } = vectorOf(new Map([9, 1, 4_000_000_000, 5].map((index) => [index, index / 10])));
    expect([...indices]).toEqual([1, 5, 9, 4_000_000_000]);
    expect(values[0]).toBeCloseTo(0.1);
  });

  it("counts repetition ever less, and words of long texts less", () => {
    const by = { k1: 1.2, b: 0.6, usualLength: 100 };
    const weight = (count: number, length: number): number => saturate(new Map([[1, count]]), length, by).values[0]!;
    expect(weight(2, 100)).toBeLessThan(2 * weight(1, 100));
    expect(weight(1_000, 100)).toBeLessThan(by.k1 + 1);
    expect(weight(1, 1_000)).toBeLessThan(weight(1, 100));
  });

  it("tells 100,000 names apart but for a few", () => {
    const hashes = new Set(Array.from({ length: 100_000 }, (_, at) => hashOf(`name${at}`)));
    expect(hashes.size).toBeGreaterThan(99_980);
  });
});
