/** The recorded turns are only worth showing when they really mend the bug: played here in a clone, without a model. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDemoRepository, demoRepositories } from "../../demo/repositories/index.ts";
import { littleDuration } from "../../demo/scenarios/little-duration.ts";
import { recurringDates } from "../../demo/scenarios/recurring-dates.ts";
import type { PlayedTurn, Turn } from "../../demo/model/scenario.ts";
import { Classification, Plan, Review } from "../../domain/outputs.ts";
import { describeIf } from "../support/presence.ts";

const pytest = spawnSync("python3", ["-m", "pytest", "--version"]).status === 0;
const cases = [
  { name: "little-duration", recording: littleDuration, tests: "npm test", testFolder: "test", missing: null },
  {
    name: "recurring-dates",
    recording: recurringDates,
    tests: "python3 -m pytest -q",
    testFolder: "tests",
    missing: pytest ? null : "no pytest on this machine",
  },
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mergewright-demo-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shell = (command: string, cwd: string) => spawnSync("bash", ["-c", command], { cwd, encoding: "utf8" });
const git = (cwd: string, ...parameters: string[]) => execFileSync("git", parameters, { cwd, encoding: "utf8" });

async function clone(name: string): Promise<string> {
  await createDemoRepository(name, join(folder, "bare.git"));
  git(folder, "clone", "--quiet", "bare.git", "tree");
  return join(folder, "tree");
}

function recorded(turns: readonly Turn[] | undefined): PlayedTurn[] {
  return (turns ?? []).map((turn) => {
    if (typeof turn === "function") throw new Error("The recording computes a turn, which this test does not play.");
    return turn;
  });
}

/** Does what one conversation's tool calls do, and fails where a recorded edit does not fit the file. */
function play(turns: readonly Turn[] | undefined, tree: string): void {
  for (const { name, input } of recorded(turns).flatMap((turn) => turn.uses ?? [])) {
    const { command, path, old_str: before, new_str: after } = input as Record<string, string>;
    if (name === "bash") {
      const { status, stderr } = shell(String(command), tree);
      expect({ command, status, stderr }).toMatchObject({ status: 0 });
    } else if (command === "str_replace") {
      const file = join(tree, String(path));
      const text = readFileSync(file, "utf8");
      expect({ path, before, matches: text.split(String(before)).length - 1 }).toMatchObject({ matches: 1 });
      writeFileSync(
        file,
        text.replace(String(before), () => String(after)),
      );
    } else if (command !== "view") {
      throw new Error(`The recording uses ${name} ${command}, which this test does not play.`);
    }
  }
}

/** Line numbers of the new version of a file that the change touched. */
function changedLines(tree: string, path: string): number[] {
  const hunks = git(tree, "diff", "-U0", "HEAD", "--", path).matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm);
  return [...hunks].flatMap(([, from, count = "1"]) =>
    Array.from({ length: Number(count) }, (_, i) => Number(from) + i),
  );
}

const final = (turns: readonly Turn[] | undefined): unknown => recorded(turns).at(-1)?.data;

test("every demo repository has a recording that plays here", () => {
  expect(cases.map(({ name }) => name).toSorted()).toEqual(Object.keys(demoRepositories).toSorted());
});

for (const { name, recording, tests, testFolder, missing } of cases) {
  describe(name, () => {
    test("becomes the same commits every time", async () => {
      const first = await createDemoRepository(name, join(folder, "first.git"));
      const second = await createDemoRepository(name, join(folder, "second.git"));
      expect(second).toEqual(first);
    });

    test("answers of the roles that return data have the shape that is asked of a model", () => {
      Classification.parse(final(recording.classifier));
      Plan.parse(final(recording.planner));
      const [first, second] = recording.reviewer.map((turns) => Review.parse(final(turns)));
      expect(first).toMatchObject({ verdict: "request-changes", findings: [{ severity: "should-fix" }] });
      expect(second).toMatchObject({ verdict: "approve", findings: [] });
    });

    describeIf(missing)("played for real", () => {
      test("each round's tests fail without its change and pass with it", async () => {
        const tree = await clone(name);
        expect(shell(tests, tree).status).toBe(0);
        play(recording.planner, tree);
        expect(git(tree, "status", "--short")).toBe("");

        for (const [round, turns] of recording.coder.entries()) {
          play(turns, tree);
          expect(shell(tests, tree).status).toBe(0);
          const before = join(folder, `before-${round}`);
          git(tree, "worktree", "add", "--quiet", "--detach", before, "HEAD");
          shell(`cp -R ${testFolder}/. ${before}/${testFolder}/`, tree);
          expect(shell(tests, before).status).not.toBe(0);

          play(recording.reviewer[round], tree);
          for (const { path, line } of Review.parse(final(recording.reviewer[round])).findings) {
            expect(changedLines(tree, path)).toContain(line);
          }
          // The next round's tests must fail on what this round left.
          git(
            tree,
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "--quiet",
            "-am",
            `round ${round}`,
          );
        }
      });
    });
  });
}
