/** What a run is told from the memory stays what it was, also when an attempt that was overtaken hears something else. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { putJson } from "../../activities/artifacts.ts";
import { issueKey } from "../../activities/ground.ts";
import { createRecall, readRecalled } from "../../activities/recall.ts";
import type { RecallReport } from "../../activities/memory-contract.ts";
import { SettingsOfRuns } from "../../activities/run-settings.ts";
import type { LikelyFile } from "../../domain/brief.ts";
import type { CodeHit, MemoryPort } from "../../domain/memory-ports.ts";
import type { Mirror } from "../../domain/ports.ts";

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), "mergewright-recall-"))));
afterAll(() => rm(root, { recursive: true, force: true }));

const run = { runKey: "0123456789abcdef", id: "issue/o/r/7", repository: "o/r", issue: 7 };
const hit = (path: string) => ({ path, lines: [1, 2], why: [] }) as unknown as CodeHit;

it("Of two attempts that ask the memory the first to store is what both tell", async () => {
  const artifacts = createFileArtifacts(root);
  await putJson(artifacts, issueKey(run), { title: "Crash", body: "It crashes." });
  const answers: ((hits: CodeHit[]) => void)[] = [];
  const memory = {
    code: { search: () => new Promise<CodeHit[]>((resolve) => answers.push(resolve)) },
  } as unknown as MemoryPort;
  const settings = new SettingsOfRuns(artifacts);
  const { recallCode } = createRecall({ memory, mirror: {} as Mirror, artifacts, settings });
  const attempt = () => new MockActivityEnvironment().run(() => recallCode({ run })) as Promise<RecallReport>;
  const overtaken = attempt();
  const successor = attempt();
  await expect.poll(() => answers.length).toBe(2);

  answers[1]!([hit("src/first.js")]);
  const first = await successor;
  answers[0]!([hit("src/late.js"), hit("src/later.js")]);
  expect(await overtaken).toEqual(first);
  expect(first.found).toBe(1);
  const told = await readRecalled<LikelyFile[]>(artifacts, first.key);
  expect(told?.map(({ path }) => path)).toEqual(["src/first.js"]);
});
