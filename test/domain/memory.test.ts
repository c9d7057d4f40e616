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
  const resolution = memory("resolution", "r", 1, 1, {
    outcome: "merged",
    pullRequest: 5,
    mergeSha: sha,
    reverted: false,
  });
  const lesson = memory("lesson", "l", 1, 1, { of: "r", confirmed: true });

  it.each([
    ["named in full", `Revert "x"\n\nThis reverts commit ${sha}.`, true],
    ["named in short", `Oops\n\nThis reverts commit ${sha.slice(0, 10).toUpperCase()}`, true],
    ["named by its pull request", 'Revert "x" (#6)\n\nReverts Acme/Shop#5', true],
    ["named by a pull request of another repository", "Reverts acme/other#5", false],
    ["another pull request", "Reverts acme/shop#55", false],
    ["another one", `This reverts commit ${"f".repeat(40)}.`, false],
    ["only spoken of", `Follows ${sha}`, false],
  ])("%s", (_, message, taken) => {
    const commits = [{ hash: "a".repeat(40), message }];
    const changed = revertedIn("acme/shop", commits, [resolution, lesson]);
    expect(changed).toEqual(
      taken
        ? [
            { ...resolution, reverted: true },
            { ...lesson, confirmed: false },
          ]
        : [],
    );
    expect(revertedIn("acme/shop", commits, changed)).toEqual([]);
  });

  const [second, third] = ["a".repeat(40), "b".repeat(40)];
  const squashed = { hash: second, message: 'Revert "x" (#6)\n\nReverts acme/shop#5' };

  it.each([
    ["reverted once", [squashed], true],
    [
      "reverted and reapplied by commit",
      [{ hash: third, message: `Reapply\n\nThis reverts commit ${second}.` }, squashed],
      false,
    ],
    [
      "reverted and reapplied by pull request",
      [{ hash: third, message: "Again (#7)\n\nReverts ACME/shop#6" }, squashed],
      false,
    ],
    [
      "reapplied, and reverted for good",
      [
        { hash: "c".repeat(40), message: "No (#8)\n\nReverts acme/shop#7" },
        { hash: third, message: "Again (#7)\n\nReverts acme/shop#6" },
        squashed,
      ],
      true,
    ],
  ])("%s", (_, commits, reverted) => {
    for (const before of [false, true])
      expect(
        revertedIn("acme/shop", commits, [
          { ...resolution, reverted: before } as Memory,
          { ...lesson, confirmed: !before } as Memory,
        ]),
      ).toEqual(
        before === reverted
          ? []
          : [
              { ...resolution, reverted },
              { ...lesson, confirmed: !reverted },
            ],
      );
  });

  it("are left as they are where the history says nothing of them", () => {
    const known = [{ ...resolution, reverted: true } as Memory, { ...lesson, confirmed: false } as Memory];
    expect(revertedIn("acme/shop", [{ hash: second, message: "Something else" }], known)).toEqual([]);
  });
});
