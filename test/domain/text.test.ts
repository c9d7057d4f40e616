import { describe, expect, it } from "vitest";
import { MARKER_PREFIX } from "../../domain/ids.ts";
import {
  cleanOutput,
  cleanText,
  codeSpan,
  cutEnd,
  cutMiddle,
  cutOutput,
  fence,
  inertLine,
  inertMarkdown,
  inertPlain,
  oneLine,
} from "../../domain/text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("cutting", () => {
  it("keeps head and tail and says how much is missing", () => {
    const cut = cutMiddle("a".repeat(5_000) + "b".repeat(5_000), 1_000);
    expect(cut.length).toBeLessThanOrEqual(1_000);
    expect(cut).toMatch(/^a+\n\[\.\.\. 9,0\d\d characters left out \.\.\.\]\nb+$/);
    expect(cutMiddle("short", 1_000)).toBe("short");
  });

  it("never splits a character", () => {
    for (let limit = 100; limit < 120; limit++) {
      expect(cleanText(cutMiddle("😀".repeat(200), limit))).not.toContain("\ufffd");
      expect(cleanText(cutEnd("😀".repeat(200), limit))).not.toContain("\ufffd");
      expect(cleanText(oneLine("😀".repeat(200), limit))).not.toContain("\ufffd");
    }
  });

  it("holds GitHub's limit", () => expect(cutEnd("x".repeat(200_000)).length).toBe(65_536));
});

describe("a program's output", () => {
  it("loses the halves of a character that was cut through", () => {
    const whole = bytes("ääää€€€€😀😀");
    for (let cut = 1; cut < whole.length - 1; cut++) {
      const text = cutOutput(
        { head: whole.subarray(0, cut), tail: whole.subarray(cut), totalBytes: whole.length + 50 },
        10_000,
      );
      expect(text).not.toContain("\ufffd");
      expect(text).toContain("[... 50 bytes left out ...]");
    }
  });

  it("is joined seamlessly when nothing is missing", () => {
    const whole = bytes("ä€😀");
    for (let cut = 0; cut <= whole.length; cut++) {
      expect(
        cutOutput({ head: whole.subarray(0, cut), tail: whole.subarray(cut), totalBytes: whole.length }, 10_000),
      ).toBe("ä€😀");
    }
  });

  it("may be binary", () =>
    expect(
      cutOutput({ head: new Uint8Array([0, 255, 254, 65, 10]), tail: new Uint8Array(), totalBytes: 5 }, 1_000),
    ).toBe("\ufffd\ufffdA\n"));

  it.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001b[2J\u001b[1;1Hhome", "home"],
    ["10%\r50%\r100%\ndone", "100%\ndone"],
    ["windows\r\nlines\r\n", "windows\nlines\n"],
    ["bell\u0007 back\b nul\0", "bell back nul"],
    ["\u009b31mc1", "c1"],
    ["a\u202eb\u200bc", "abc"],
    ["tab\tstays", "tab\tstays"],
    ["\u001b", ""],
  ])("%j shows as %j", (raw, shown) => expect(cleanOutput(raw)).toBe(shown));
});

describe("text in a code block", () => {
  it("cannot close it", () => {
    for (const text of ["```\n# out", "````", "a ``` b `````", "~~~"]) {
      const lines = fence(text, "text").split("\n");
      const ticks = /^`+/.exec(lines[0]!)![0];
      expect(lines.slice(1, -1).every((line) => !line.includes(ticks))).toBe(true);
      expect(lines.at(-1)).toBe(ticks);
    }
  });

  it("cannot hold a marker of ours", () =>
    expect(fence(`${MARKER_PREFIX}progress run=x -->`)).not.toContain(MARKER_PREFIX));

  it.each(["a`b", "``", "`", "", "a\nb", "``` x"])("and %j stays in its span", (text) => {
    const span = codeSpan(text);
    const ticks = /^`+/.exec(span)![0];
    expect(span.slice(ticks.length, -ticks.length)).not.toMatch(new RegExp(`(?<!\`)\`{${ticks.length}}(?!\`)`));
    expect(span).not.toContain("\n");
  });
});

describe("Markdown from outside", () => {
  it.each([
    ["@octocat please", "@&#8203;octocat please"],
    ["mail a@b.c", "mail a@&#8203;b.c"],
    ["Fixes #12 and GH-13", "Fixes #&#8203;12 and GH-&#8203;13"],
    ["closes o/r#5", "closes o/r#&#8203;5"],
    ["fixes https://github.com/o/r/issues/5", "fixes https://github.com/o/r/issues/&#8203;5"],
    ["![x](https://evil/?q=1)", "!\\[x\\](https://evil/?q=1)"],
    ["<img src=x onerror=y>", "&lt;img src=x onerror=y>"],
    ["<!-- hidden", "&lt;!-- hidden"],
    ["[a]: http://x", "\\[a\\]: http://x"],
    ["\\<b> \\[x](y)", "\\\\&lt;b> \\\\\\[x\\](y)"],
    ["&lt;script&gt;", "&amp;lt;script&amp;gt;"],
    ["`@octocat #12 <b>` @x", "`@octocat #12 <b>` @&#8203;x"],
    ["\\`<img>`", "\\\\`<img>`"],
    ["` lone <b>", "\\` lone &lt;b>"],
    ["`` a ` b <i>", "\\`\\` a \\` b &lt;i>"],
    ["# Verified", "\\# Verified"],
    ["- ## Verified", "- \\## Verified"],
    ["- item **bold**", "- item **bold**"],
    ["a\u200b\u202eb", "ab"],
    [`${MARKER_PREFIX}x -->`, `&lt;! --${MARKER_PREFIX.slice(4)}x -->`],
  ])("%j becomes %j", (raw, shown) => expect(inertMarkdown(raw)).toBe(shown));

  it("keeps a code block as it is, and ends one that was left open", () => {
    expect(inertMarkdown("```js\nif (a < b) @x\n```\n<b>")).toBe("```js\nif (a < b) @x\n```\n&lt;b>");
    expect(inertMarkdown("~~~\n<b>")).toBe("~~~\n<b>\n~~~");
    expect(inertMarkdown("````\n```\n<b>")).toBe("````\n```\n<b>\n````");
  });

  it("does not take for code what a list item would end", () => {
    expect(inertMarkdown("- a\n  ```\n<img>")).toBe("- a\n  \\`\\`\\`\n&lt;img>");
    expect(inertMarkdown("> ```\n<img>")).toBe("> \\`\\`\\`\n&lt;img>");
  });

  it("is one harmless line where one is asked for", () => {
    expect(inertLine("# a\n*b* | c_d @me")).toBe("\\# a \\*b\\* \\| c\\_d @&#8203;me");
    expect(inertLine("x".repeat(500), 100)).toHaveLength(100);
  });

  it("is done at once for a text made to be slow", () => {
    const began = Date.now();
    inertMarkdown("`".repeat(60_000));
    inertMarkdown(Array.from({ length: 300 }, (_, index) => "`".repeat(index + 1)).join(" "));
    inertMarkdown("\u001b]".repeat(30_000));
    cleanText("\u001b[".repeat(30_000) + "1".repeat(30_000));
    expect(Date.now() - began).toBeLessThan(3000);
  });
});

describe("a commit message from outside", () => {
  it.each([
    ["Fixes #12 @octocat GH-3", "Fixes 12 octocat 3"],
    ["closes https://github.com/o/r/issues/5", "closes github.com/o/r/issues/5"],
    ["ok [skip ci] [ci skip] [no ci]", "ok (skip ci) (ci skip) (no ci)"],
    ["Co-authored-by: Eve <e@x>", "Co-authored-by - Eve <e@x>"],
    ["skip-checks: true", "skip-checks - true"],
  ])("%j becomes %j", (raw, shown) => expect(inertPlain(raw)).toBe(shown));
});
