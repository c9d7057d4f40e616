/** Which commit the shared index of a repository is brought to. */
import { MockActivityEnvironment } from "@temporalio/testing";
import { expect, it } from "vitest";
import { createIndexing, type IndexParts } from "../../activities/index-code.ts";
import type { IndexReport } from "../../domain/memory-ports.ts";

/** The branch goes from `old` to `newer` to `head`; the mirror has all of them. */
const ORDER = ["old", "newer", "head"];

async function indexed(before: string | null, commit: string): Promise<{ brought: string; fetched: boolean }> {
  let fetched = false;
  const mirror = {
    has: async (_: string, each: string) => ORDER.includes(each),
    fetch: async () => {
      fetched = true;
      return "head";
    },
    mergeBase: async (_: string, one: string, other: string) =>
      ORDER[Math.min(ORDER.indexOf(one), ORDER.indexOf(other))],
    source: async () => ({}),
  };
  const memory = {
    code: {
      indexed: async () => before,
      index: async (_scope: unknown, _source: unknown, to: string) => ({ commit: to }),
    },
    experience: { departure: async () => null, list: async () => [] },
  };
  const { indexCode } = createIndexing({ mirror, memory } as unknown as IndexParts);
  const input = { repository: "acme/shop", cloneUrl: "", branch: "main", commit, since: new Date().toISOString() };
  const report = (await new MockActivityEnvironment().run(
    () => indexCode(input) as Promise<IndexReport>,
  )) as IndexReport;
  return { brought: report.commit, fetched };
}

it.each([
  ["a run that goes on from an old commit leaves the index at the branch's head", "newer", "old", "head", true],
  ["what a run has fetched just now is not fetched again", "old", "newer", "newer", false],
  ["what is indexed already is not fetched again", "newer", "newer", "newer", false],
  ["the first index takes what the run has", null, "newer", "newer", false],
  ["a history that was replaced is fetched", "gone", "newer", "head", true],
  ["a commit that this machine lacks is fetched", "old", "unknown", "head", true],
] as const)("%s", async (_, before, wanted, brought, fetched) => {
  expect(await indexed(before, wanted)).toEqual({ brought, fetched });
});
