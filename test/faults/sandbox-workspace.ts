/** A workspace as a run has one: real Git, real artifacts in a folder, and sandboxes of the engine that is handed in. */
import { join } from "node:path";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { keepCommit } from "../../activities/commits.ts";
import type { WorkspaceRef } from "../../activities/contract.ts";
import { SettingsOfRuns } from "../../activities/run-settings.ts";
import type { WorkspaceParts } from "../../activities/workspace.ts";
import type { Sandboxes } from "../../domain/ports.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import { type Bench, createBench, REPOSITORY } from "../git/support.ts";
import { drawKey, never } from "../sandbox/harness.ts";

export interface WorkspaceBench {
  bench: Bench;
  parts: WorkspaceParts;
  ref: WorkspaceRef;
}

export async function workspaceOn(sandboxes: Sandboxes, sandbox: object = {}): Promise<WorkspaceBench> {
  const bench = await createBench();
  const artifacts = createFileArtifacts(join(bench.root, "artifacts"));
  const settings = new SettingsOfRuns(artifacts);
  const runKey = drawKey("row");
  const run = { id: `issue/acme/widgets/${runKey}`, runKey, repository: REPOSITORY, issue: 1 };
  await settings.write(run, {
    ...RepositorySettings.parse({ sandbox: { memory: "512m", workspace: "64m", ...sandbox } }),
    prices: {},
  });
  await keepCommit({ mirror: bench.mirror, artifacts }, run, bench.base, null, never);
  return {
    bench,
    parts: { sandboxes, artifacts, settings, trees: new Map() },
    ref: { run, purpose: "coder", commit: bench.base, checkpoint: null },
  };
}
