/** What must be true outside after a run that was crashed: everything once, nothing left. Each finding is a sentence. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Effect } from "../../../demo/github/ledger.ts";
import type { LedgerEntry } from "../../../demo/model/ledger.ts";
import { type Cluster, MAINTAINER } from "./cluster.ts";
import { leftInFolders } from "./left-over.ts";
import type { CrashRun } from "./run.ts";
import { STEPS } from "./scenario.ts";
import { secretsIn } from "./secrets.ts";

export interface Kill {
  part: string;
  at: number;
}

/** Nobody can know whether a reply that reached a process in its last moment was kept: it counts as in flight. */
export const IN_FLIGHT_MS = 150;

/** Empty when all is well. */
export async function wrongAfter(
  cluster: Cluster,
  run: CrashRun,
  steps: readonly string[],
  kills: readonly Kill[],
): Promise<string[]> {
  const found = [
    ...(await outside(cluster, run)),
    ...(await stepsOf(cluster, run, steps)),
    ...paidTwice(cluster, run, kills),
    ...(await leftOver(cluster)),
    ...secretsOut(cluster),
  ];
  return found;
}

async function outside({ people, folder, actor: us }: Cluster, run: CrashRun): Promise<string[]> {
  const wrong: string[] = [];
  const prefix = `/repos/${run.repository}/`;
  const ours = jsonLines<Effect>(join(folder, "github", "ledger.jsonl")).filter(
    ({ actor, path }) =>
      actor === us && (path.startsWith(prefix) || path === `/${run.repository}.git/git-receive-pack`),
  );
  const mara = people.as(MAINTAINER);
  const pulls = await mara.rest<{ number: number; merged_at: string | null }[]>(
    "GET",
    `/repos/${run.repository}/pulls?state=all`,
  );
  if (pulls.length !== 1 || pulls[0]!.merged_at === null)
    wrong.push(`pull requests: ${JSON.stringify(pulls.map(({ number, merged_at }) => ({ number, merged_at })))}`);
  const merges = ours.filter(({ route }) => route.endsWith("/merge"));
  if (merges.length > 1) wrong.push(`${merges.length} merges`);
  const pushes = ours
    .filter(({ route }) => route === "git push")
    .map(({ facts }) => facts as { ref: string; after: string });
  const pushed = new Set(pushes.map(({ after }) => after));
  if (pushed.size !== pushes.length || pushes.some(({ ref }) => ref !== `refs/heads/mergewright/issue-${run.issue}`))
    wrong.push(`pushes: ${JSON.stringify(pushes)}`);
  const comments = await Promise.all(
    [run.issue, ...pulls.map(({ number }) => number)].map((number) =>
      mara.rest<{ body: string }[]>("GET", `${prefix}issues/${number}/comments`),
    ),
  );
  const markers = comments.flat().map(({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0] ?? "none");
  if (new Set(markers).size !== markers.length || markers.includes("none"))
    wrong.push(`comments: ${markers.join(", ")}`);
  const { state } = await mara.rest<{ state: string }>("GET", `${prefix}issues/${run.issue}`);
  if (state !== "closed") wrong.push(`the issue is ${state}`);
  return wrong;
}

/** What was merged tells which commands ran, and how often. */
async function stepsOf({ people, folder }: Cluster, run: CrashRun, expected: readonly string[]): Promise<string[]> {
  const { id } = await people.as(MAINTAINER).rest<{ id: number }>("GET", `/repos/${run.repository}`);
  const directory = join(folder, "github", "repositories", `${id}.git`);
  const shown = await promisify(execFile)("git", ["--git-dir", directory, "show", `main:${STEPS}`]).catch(() => null);
  const ran = shown?.stdout.trim().split("\n") ?? [];
  return ran.join() === expected.join()
    ? []
    : [`commands that ran: ${ran.join(", ") || "none"}; expected: ${expected.join(", ")}`];
}

/** By place, not by request: an attempt that composes its request a little differently pays no less. */
function paidTwice({ folder }: Cluster, run: CrashRun, kills: readonly Kill[]): string[] {
  const first = new Map<string, LedgerEntry>();
  const wrong: string[] = [];
  for (const entry of jsonLines<LedgerEntry>(join(folder, "model.jsonl"))) {
    if (!entry.delivered || entry.receivedMs < run.startedAt) continue;
    const known = first.get(entry.place);
    first.set(entry.place, entry);
    if (!known) continue;
    const inFlight = kills.some(({ at }) => at - known.endedMs! < IN_FLIGHT_MS && at >= known.receivedMs);
    if (!inFlight)
      wrong.push(
        `${entry.role} turn ${entry.turn} was paid again, ${Math.round(entry.receivedMs - known.endedMs!)} ms after its reply`,
      );
  }
  return wrong;
}

function secretsOut({ folder, api, workers, secrets }: Cluster): string[] {
  const logs = [api, ...workers].map(({ name }) => join(folder, `${name}.log`));
  return secretsIn({ github: join(folder, "github"), logs, texts: [], secrets });
}

/** Waits a moment for what is being removed. */
async function leftOver(cluster: Cluster): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const left = [
      ...(await cluster.containers()),
      ...leftInFolders({ temporary: join(cluster.folder, "tmp"), below: [...cluster.homes, cluster.artifacts] }),
    ];
    if (left.length === 0) return [];
    if (attempt === 50) return left.map((each) => `left over: ${each}`);
    await sleep(200);
  }
}

export function jsonLines<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as T];
      } catch {
        // The last line may be cut where the process was killed.
        return [];
      }
    });
}
