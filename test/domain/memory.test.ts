import { describe, expect, it } from "vitest";
import type { Memory } from "../../domain/memory.ts";
import { pastTheirTime } from "../../domain/memory-retention.ts";
import { revertedIn } from "../../domain/reverts.ts";

const now = new Date("2026-06-01T00:00:00.000Z");
const DAY_MS = 24 * 60 * 60_000;

function memory(kind: Memory["kind"], id: string, issue: number | null, daysAgo: number, more: object = {}): Memory {
  const at = new Date(now.getTime() - daysAgo * DAY_MS).toISOString();
  return { kind, id, issue, at, ...more } as Memory;
}

describe("memories past their time", () => {
  const limits = { retention_days: 90, max_memories_per_issue: 2 };

  it.each<[string, Memory[], Partial<typeof limits>, string[]]>([
    ["the young stay", [memory("resolution", "a", 1, 89)], {}, []],
    ["the old go", [memory("resolution", "a", 1, 91), memory("lesson", "b", 1, 91)], {}, ["a", "b"]],
    ["0 days: none is too old", [memory("resolution", "a", 1, 9_999)], { retention_days: 0 }, []],
    [
      "of one issue the oldest beyond the limit go",
      [memory("resolution", "old", 1, 3), memory("resolution", "new", 1, 1), memory("resolution", "mid", 1, 2)],
      {},
      ["old"],
    ],
    [
      "of one run the lesson outlasts the way there, and the resolution both",
      [memory("workflow", "way", 1, 1), memory("lesson", "lesson", 1, 1), memory("resolution", "what", 1, 1)],
      {},
      ["way"],
    ],
    [
      "each issue has a limit of its own",
      [1, 2].flatMap((issue) => [memory("lesson", `${issue}a`, issue, 1), memory("lesson", `${issue}b`, issue, 1)]),
      {},
      [],
    ],
    ["what people taught stays", [memory("taught", "a", null, 9_999), memory("taught", "b", 1, 9_999)], {}, []],
  ])("%s", (_, memories, more, gone) => {
    expect(pastTheirTime(memories, { ...limits, ...more }, now)).toEqual(gone);
  });
});

describe("reverted changes", () => {
  const sha = "0123456789abcdef0123456789abcdef01234567";
  const resolution = memory("resolution", "r", 1, 1, { mergeSha: sha, reverted: false });
  const lesson = memory("lesson", "l", 1, 1, { of: "r", confirmed: true });

  it.each([
    ["named in full", `Revert "x"\n\nThis reverts commit ${sha}.`, true],
    ["named in short", `Oops\n\nThis reverts commit ${sha.slice(0, 10).toUpperCase()}`, true],
    ["another one", `This reverts commit ${"f".repeat(40)}.`, false],
    ["only spoken of", `Follows ${sha}`, false],
  ])("%s", (_, message, taken) => {
    const changed = revertedIn([{ message }], [resolution, lesson]);
    expect(changed).toEqual(
      taken
        ? [
            { ...resolution, reverted: true },
            { ...lesson, confirmed: false },
          ]
        : [],
    );
    expect(revertedIn([{ message }], changed)).toEqual([]);
  });
});
