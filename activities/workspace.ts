/** A workspace: a sandbox with a commit checked out, and on top of it what an agent had done by its last checkpoint. */
import { ArtifactMissing, SandboxLost, SandboxUnavailable } from "../domain/errors.ts";
import { runPrefix } from "../domain/ids.ts";
import type { Artifacts, CommandResult, Sandbox, Sandboxes, SandboxSpec } from "../domain/ports.ts";
import type { RunSettings } from "../domain/settings.ts";
import { tailOf } from "../domain/text.ts";
import { findJson, getJson, putJson } from "./artifacts.ts";
import { commitBundles } from "./commits.ts";
import type { Checkpoint, RunRef, WorkspaceRef } from "./contract.ts";
import type { SettingsOfRuns } from "./run-settings.ts";

export interface WorkspaceParts {
  sandboxes: Sandboxes;
  artifacts: Artifacts;
  settings: SettingsOfRuns;
  trees: KnownTrees;
}

/**
 * By sandbox the commit that this worker has left in it, so that the next step need not ask what it finds. Forgotten when a step
 * fails: another worker may have gone on elsewhere since.
 */
export type KnownTrees = Map<string, string>;

/** Unpacking a large repository takes its time. */
const SEED_TIMEOUT_MS = 15 * 60_000;
const CHECKPOINT_TIMEOUT_MS = 5 * 60_000;
const MAX_BUNDLE_BYTES = 512 * 1024 * 1024;
/** GitHub takes no larger file; adding a sparse one of gigabytes would read all its zeros. */
const MAX_SAVED_FILE_BYTES = 100 * 1024 * 1024;

/** The key of a sandbox: `RUNKEY-PURPOSE`. */
export function sandboxKey(run: RunRef, purpose: string): string {
  return `${run.runKey}-${purpose}`;
}

/**
 * Opens the workspace, or finds it open. A sandbox that is new, because none was there or because it was lost, is
 * filled from the mirror and the checkpoints, and so is one that stands at another commit: the run has gone on elsewhere
 * since it was used. `filled` tells that it is such a one, `rebuilt` that work had been saved from one that is gone. `key` is the journal key of the step that
 * comes: what an earlier attempt of it has changed belongs there.
 */
export async function openWorkspace(
  parts: WorkspaceParts,
  ref: WorkspaceRef,
  key: string,
  signal: AbortSignal,
): Promise<{ sandbox: Sandbox; filled: boolean; rebuilt: boolean }> {
  const settings = await parts.settings.of(ref.run);
  const spec = specOf(ref, settings);
  let sandbox = await parts.sandboxes.open(spec, signal);
  let seeded = await sandbox.journal("seed", signal);
  if (isSound(seeded) && (await stands(parts, ref, sandbox, key, signal)))
    return { sandbox, filled: false, rebuilt: false };
  if (seeded !== null) {
    // Filling it was broken off, or it is out of date: what stands in it is not known, so it starts again, empty.
    await parts.sandboxes.close(spec.key);
    sandbox = await parts.sandboxes.open(spec, signal);
  }
  seeded = await seed(parts, ref, sandbox, settings.setup_command ?? null, signal);
  if (seeded.kind === "unknown") throw new SandboxLost(`Sandbox ${spec.key} was lost while it was filled.`);
  if (!isSound(seeded)) {
    throw new SandboxUnavailable(
      `Sandbox ${spec.key} could not be set up (repository and setup_command): ${describe(seeded)}`,
    );
  }
  remember(parts, ref);
  return { sandbox, filled: true, rebuilt: ref.checkpoint !== null };
}

/** The tree in the sandbox is that of `ref`, and safe. */
export function remember({ trees }: WorkspaceParts, ref: WorkspaceRef): void {
  trees.set(sandboxKey(ref.run, ref.purpose), standsAt(ref));
}

export function forget({ trees }: WorkspaceParts, ref: WorkspaceRef): void {
  trees.delete(sandboxKey(ref.run, ref.purpose));
}

/** Ends its sandbox. One that is not open is fine. */
export async function closeWorkspace(
  { sandboxes, trees }: Pick<WorkspaceParts, "sandboxes" | "trees">,
  { run, purpose }: Pick<WorkspaceRef, "run" | "purpose">,
): Promise<void> {
  const key = sandboxKey(run, purpose);
  trees.delete(key);
  await sandboxes.close(key);
}

/** The base and the last commit on top of it. */
function standsAt({ commit, checkpoint: last }: WorkspaceRef): string {
  return `${commit} ${last?.commit ?? commit}`;
}

/** Whether the sandbox has the tree of `ref`, and nothing on top of it but what an earlier attempt of this step did. */
async function stands(
  { trees }: WorkspaceParts,
  ref: WorkspaceRef,
  sandbox: Sandbox,
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = standsAt(ref);
  if (trees.get(sandboxKey(ref.run, ref.purpose)) === wanted) return true;
  const [base, head] = await Promise.all(["base", "checkpoint"].map((name) => readRef(sandbox, name, signal)));
  const begun = (await sandbox.journal(key, signal)) !== null;
  if (!begun) return `${base} ${head}` === wanted && !(await sandbox.changedSince(markPath(sandbox), signal));
  const saved = await sandbox.journal(checkpointKey(key), signal);
  const own = isSound(saved) ? commitIn(saved)?.commit : undefined;
  return `${base} ${head}` === wanted || (base === ref.commit && head !== null && head === own);
}

/** Git keeps a reference of ours as a small file; one that is not there, or packed away by the agent, counts as none. */
async function readRef(sandbox: Sandbox, name: string, signal: AbortSignal): Promise<string | null> {
  const file = await sandbox.read(`.git/refs/mergewright/${name}`, 100, signal);
  return file.kind === "file" ? Buffer.from(file.content).toString("utf8").trim() : null;
}

/** What became of the changes of one step. */
export type Saving =
  | { kind: "saved"; checkpoint: Checkpoint }
  /** `looked`: Git was asked, because something may have changed. */
  | { kind: "unchanged"; looked: boolean }
  | { kind: "failed"; reason: string };

/**
 * Makes what changed in the tree safe: a commit, exported as an incremental bundle to the artifact store. It fails for
 * what the agent did (no space, a broken or nested repository): the agent is told, and can undo it. Once the result of the step is
 * stored, {@link markSafe} ends it; until then a repeated attempt finds the same commit again.
 */
export async function checkpoint(
  parts: WorkspaceParts,
  ref: WorkspaceRef,
  conversation: string,
  sandbox: Sandbox,
  key: string,
  signal: AbortSignal,
): Promise<Saving> {
  if (!(await sandbox.changedSince(markPath(sandbox), signal))) return { kind: "unchanged", looked: false };
  const bundlePath = `${sandbox.scratch}/checkpoint.bundle`;
  const result = await sandbox.run(
    {
      key: checkpointKey(key),
      script: checkpointScript(bundlePath, (ref.checkpoint ?? ref).commit),
      timeoutMs: CHECKPOINT_TIMEOUT_MS,
      keepBytes: 10_000,
    },
    signal,
  );
  if (!isSound(result)) return { kind: "failed", reason: describe(result) };
  const made = commitIn(result);
  if (made === null) return { kind: "unchanged", looked: true };
  const saved = { ...made, conversation };
  await store(parts.artifacts, ref, saved, () => readWhole(sandbox, bundlePath, signal));
  return { kind: "saved", checkpoint: saved };
}

/** Only when the commit is safe and its result stored: an attempt that is broken off before must find the change again. */
export async function markSafe(sandbox: Sandbox, saving: Saving, signal: AbortSignal): Promise<void> {
  if (saving.kind === "saved" || (saving.kind === "unchanged" && saving.looked))
    await sandbox.write(markPath(sandbox), new Uint8Array(), {}, signal);
}

function checkpointKey(key: string): string {
  return `checkpoint-${key}`;
}

/** What {@link checkpointScript} printed; null: nothing had changed. */
function commitIn(result: CommandResult): { commit: string; tree: string } | null {
  const [commit, tree] = text(result).trim().split(/\s+/);
  return commit && tree ? { commit, tree } : null;
}

async function store(
  artifacts: Artifacts,
  ref: WorkspaceRef,
  saved: Checkpoint,
  bundle: () => Promise<Uint8Array>,
): Promise<void> {
  const key = recordKey(ref.run, saved);
  if ((await findJson<CheckpointRecord>(artifacts, key)) !== null) return;
  await artifacts.put(bundleKey(ref.run, saved), await bundle());
  await putJson(artifacts, key, { checkpoint: saved, parent: ref.checkpoint } satisfies CheckpointRecord);
}

/** The bundles that lead from the base to a checkpoint, oldest first. */
export async function checkpointBundles(
  artifacts: Artifacts,
  run: RunRef,
  last: Checkpoint | null,
): Promise<Uint8Array[]> {
  const bundles: Uint8Array[] = [];
  for (let at = last; at !== null;) {
    const record = await findJson<CheckpointRecord>(artifacts, recordKey(run, at));
    const bundle = record && (await artifacts.get(bundleKey(run, at)));
    if (!bundle) throw new SandboxLost(`Checkpoint ${at.commit} of ${at.conversation} is not in the artifact store.`);
    bundles.unshift(bundle);
    at = record.parent;
  }
  return bundles;
}

/** Copies a checkpoint, with those that lead to it, to another run; what is among `copied` is there already. */
export async function copyCheckpoints(
  artifacts: Artifacts,
  from: Place,
  to: Place,
  last: Checkpoint,
  copied: Set<string>,
): Promise<void> {
  for (let at: Checkpoint | null = last; at !== null && !copied.has(at.commit);) {
    copied.add(at.commit);
    const record: CheckpointRecord = await getJson<CheckpointRecord>(artifacts, recordKey(from, at));
    const bundle = await artifacts.get(bundleKey(from, at));
    if (bundle === null) throw new ArtifactMissing(bundleKey(from, at));
    await artifacts.put(bundleKey(to, at), bundle);
    await putJson(artifacts, recordKey(to, at), record);
    at = record.parent;
  }
}

type Place = Pick<RunRef, "runKey">;

/** Made anew at each checkpoint: what changed later than this file is not safe yet. */
function markPath(sandbox: Sandbox): string {
  return `${sandbox.scratch}/checkpoint-mark`;
}

/** The settings of a workspace, as the sandbox engine wants them. */
function specOf({ run, purpose }: WorkspaceRef, settings: RunSettings): SandboxSpec {
  const { image, memory, cpus, pids, workspace } = settings.sandbox;
  return {
    key: sandboxKey(run, purpose),
    runKey: run.runKey,
    workflowId: run.id,
    repository: run.repository,
    image: image ?? null,
    memory: memory ?? null,
    cpus: cpus ?? null,
    pids,
    workspace,
  };
}

async function seed(
  parts: WorkspaceParts,
  ref: WorkspaceRef,
  sandbox: Sandbox,
  setup: string | null,
  signal: AbortSignal,
): Promise<CommandResult> {
  const bundles = [
    ...(await commitBundles(parts.artifacts, ref.run, ref.commit)),
    ...(await checkpointBundles(parts.artifacts, ref.run, ref.checkpoint)),
  ];
  for (const [index, bundle] of bundles.entries()) {
    const written = await sandbox.write(`${sandbox.scratch}/seed-${index}.bundle`, bundle, {}, signal);
    if (written.kind !== "written") {
      throw new SandboxUnavailable(
        `The repository does not fit into the workspace (${written.kind}). Raise sandbox.workspace in the settings.`,
      );
    }
  }
  const script = seedScript(ref, sandbox.scratch, markPath(sandbox), bundles.length, setup);
  return sandbox.run({ key: "seed", script, timeoutMs: SEED_TIMEOUT_MS, keepBytes: 10_000 }, signal);
}

/** The tree is checked out at the base as branch `work`; a checkpoint's tree is laid over it as uncommitted work. */
function seedScript(
  { commit, checkpoint: last }: WorkspaceRef,
  scratch: string,
  mark: string,
  bundles: number,
  setup: string | null,
): string {
  const checkpointCommit = last?.commit ?? null;
  const fetches = Array.from(
    { length: bundles },
    (_, index) => `git fetch -q ${scratch}/seed-${index}.bundle '+refs/*:refs/seed/${index}/*'`,
  );
  return [
    "set -e",
    "git init -q -b work .",
    "git config user.name agent",
    "git config user.email agent@sandbox.invalid",
    "git config gc.auto 0",
    "git config advice.detachedHead false",
    ...fetches,
    `git update-ref refs/heads/work ${commit}`,
    "git reset -q --hard",
    `git update-ref refs/mergewright/base ${commit}`,
    `git update-ref refs/mergewright/checkpoint ${checkpointCommit ?? commit}`,
    ...(checkpointCommit ? [`git read-tree -u --reset ${checkpointCommit}`, "git read-tree HEAD"] : []),
    `rm -f ${scratch}/seed-*.bundle`,
    `touch ${mark}`,
    ...(setup ? [`set +e`, setup] : []),
  ].join("\n");
}

/**
 * Prints `COMMIT TREE` and leaves a bundle when the tree differs from the last one that is safe; prints nothing otherwise. The commit
 * counts only with its bundle: what found no room is built upon by no later bundle, and is saved with the next.
 */
function checkpointScript(bundlePath: string, last: string): string {
  return [
    "set -e -o pipefail",
    "export GIT_INDEX_FILE=.git/mergewright-index",
    `git ls-files -z -m -o --exclude-standard | perl -0 -ne '${REFUSE_LARGE}'`,
    // That of the step before is stored: its room may be needed.
    `rm -f ${bundlePath}`,
    "git add -A .",
    "tree=$(git write-tree)",
    `[ "$tree" = "$(git rev-parse '${last}^{tree}')" ] && exit 0`,
    `commit=$(git commit-tree "$tree" -p ${last} -m checkpoint)`,
    'git update-ref refs/mergewright/saving "$commit"',
    `git bundle create -q ${bundlePath} refs/mergewright/saving ^${last}`,
    `bytes=$(($(wc -c < ${bundlePath})))`,
    `[ "$bytes" -le ${MAX_BUNDLE_BYTES} ] || { echo "$bytes bytes of changes are more than the ${MAX_BUNDLE_BYTES} that can be saved at once: remove what need not be kept, or let .gitignore name it"; exit 1; }`,
    'git update-ref refs/mergewright/checkpoint "$commit"',
    'echo "$commit $tree"',
  ].join("\n");
}

/** Names the first file that is too large to be saved; files that the repository ignores are not looked at. */
const REFUSE_LARGE = `chomp; next if -l $_ || ! -f _ || -s _ <= ${MAX_SAVED_FILE_BYTES}; print "$_ is larger than ${MAX_SAVED_FILE_BYTES} bytes: remove it, or let .gitignore name it"; exit 1`;

interface CheckpointRecord {
  checkpoint: Checkpoint;
  parent: Checkpoint | null;
}

function recordKey(run: Place, at: Checkpoint): string {
  return `${runPrefix(run.runKey)}/checkpoints/${at.commit}.json`;
}

function bundleKey(run: Place, at: Checkpoint): string {
  return `${runPrefix(run.runKey)}/checkpoints/${at.commit}.bundle`;
}

async function readWhole(sandbox: Sandbox, path: string, signal: AbortSignal): Promise<Uint8Array> {
  const file = await sandbox.read(path, MAX_BUNDLE_BYTES, signal);
  if (file.kind !== "file") throw new SandboxLost(`The checkpoint ${path} is ${file.kind}.`);
  if (file.totalBytes > file.content.length)
    throw new SandboxLost(`The checkpoint has ${file.totalBytes} bytes; at most ${MAX_BUNDLE_BYTES} are taken.`);
  return file.content;
}

function isSound(result: unknown): result is CommandResult & { kind: "exited" } {
  const { kind, exitCode } = (result ?? {}) as { kind?: string; exitCode?: number };
  return kind === "exited" && exitCode === 0;
}

function text(result: CommandResult): string {
  return Buffer.concat([result.output.head, result.output.tail]).toString("utf8");
}

function describe(result: CommandResult): string {
  const how = result.kind === "exited" ? `exit code ${result.exitCode}` : result.kind;
  return `${how}: ${tailOf(text(result), 2_000)}`;
}
