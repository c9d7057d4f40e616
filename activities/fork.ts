/** What a fork takes over from the run that it goes on from: copied to a place of its own, so that the end of one takes nothing from the other. */
import { ArtifactMissing } from "../domain/errors.ts";
import { type Role, runPrefix } from "../domain/ids.ts";
import type { Artifacts } from "../domain/ports.ts";
import { findJson, getJson, type Installation, putJson, putRunNote } from "./artifacts.ts";
import { copyCommits } from "./commits.ts";
import type { Activities, Checkpoint, RunRef } from "./contract.ts";
import { resultKey, type StoredResult, type StoredTurn } from "./conversation.ts";
import { instructionsKey, issueKey } from "./ground.ts";
import { readReply } from "./reply.ts";
import { working } from "./temporal.ts";
import { copyCheckpoints } from "./workspace.ts";

type Place = Pick<RunRef, "runKey">;

interface Link {
  key: string;
  turn: StoredTurn;
}

export interface ForkingParts {
  artifacts: Artifacts;
  installation: Installation;
}

export function createForking({ artifacts, installation }: ForkingParts): Pick<Activities, "takeOver"> {
  return {
    takeOver: ({ run, from, role, turn, since, commits, firstRunId }) =>
      working(async () => {
        await putRunNote(artifacts, installation, run, firstRunId);
        try {
          const turns = await conversation(artifacts, from, role, turn);
          const checkpoint = await treeAfter(artifacts, from, role, turns, since);
          await copyDocument(artifacts, issueKey(from), issueKey(run));
          await copyDocument(artifacts, instructionsKey(from), instructionsKey(run));
          await copyCommits(artifacts, from, run, commits);
          await copyTurns(artifacts, from, run, turns);
          await copyResults(artifacts, from, run, role, turn - 1);
          const { key, turn: last } = turns.at(-1)!;
          const { content, stopReason } = last.reply;
          return {
            kind: "taken",
            turn: { key: moved(key, from, run), stopReason, ...readReply(role, content), checkpoint },
          } as const;
        } catch (error) {
          if (!(error instanceof ArtifactMissing)) throw error;
          return {
            kind: "gone",
            reason: `What it should go on from is not in the artifact store any more: ${error.message}`,
          } as const;
        }
      }),
  };
}

/** The turns up to and including this one, oldest first. */
async function conversation(artifacts: Artifacts, from: Place, role: Role, turn: number): Promise<Link[]> {
  const stored = await turnsOf(artifacts, from, role);
  const links: Link[] = [];
  for (let key: string | null = await lastOf(artifacts, stored, turn - 1, from, role); key !== null;) {
    const found: StoredTurn = await getJson<StoredTurn>(artifacts, key);
    links.unshift({ key, turn: found });
    key = found.previous;
  }
  return links;
}

/** By their place in the conversation. There are several at one place when a request was asked for in another form. */
async function turnsOf(
  artifacts: Artifacts,
  from: Place,
  role: Role,
): Promise<Map<number, { key: string; at: Date }[]>> {
  const turns = new Map<number, { key: string; at: Date }[]>();
  for await (const { key, changedAt } of artifacts.list(`${folderOf(from, role)}/turns`)) {
    const place = Number(/\/(\d+)\.[^/]+\.json$/.exec(key)?.[1] ?? NaN);
    if (!Number.isNaN(place)) turns.set(place, [...(turns.get(place) ?? []), { key, at: changedAt }]);
  }
  return turns;
}

/** Of several, the one that the conversation went on from; else the newest. */
async function lastOf(
  artifacts: Artifacts,
  stored: Map<number, { key: string; at: Date }[]>,
  place: number,
  from: Place,
  role: Role,
): Promise<string> {
  const found = newestFirst(stored.get(place) ?? []);
  if (found.length === 0) throw new ArtifactMissing(`${folderOf(from, role)}/turns/${place}.*.json`);
  if (found.length > 1) {
    for (const { key } of newestFirst(stored.get(place + 1) ?? [])) {
      const { previous } = await getJson<StoredTurn>(artifacts, key);
      if (found.some((each) => each.key === previous)) return previous!;
    }
  }
  return found[0]!.key;
}

function newestFirst(turns: readonly { key: string; at: Date }[]): { key: string; at: Date }[] {
  return turns.toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

/** The tree as Claude last knew it: after the tools that the replies before the last one asked for. */
async function treeAfter(
  artifacts: Artifacts,
  from: Place,
  role: Role,
  turns: readonly Link[],
  since: number,
): Promise<Checkpoint | null> {
  for (let place = turns.length - 2; place >= since; place -= 1) {
    const { calls } = readReply(role, turns[place]!.turn.reply.content);
    for (const { id } of calls.toReversed()) {
      const result = await findJson<StoredResult>(artifacts, resultKey(from, role, place, id));
      if (result?.checkpoint) return result.checkpoint;
    }
  }
  return null;
}

async function copyTurns(artifacts: Artifacts, from: Place, to: Place, turns: readonly Link[]): Promise<void> {
  for (const { key, turn } of turns) {
    const previous = turn.previous === null ? null : moved(turn.previous, from, to);
    await putJson(artifacts, moved(key, from, to), { ...turn, previous } satisfies StoredTurn);
  }
}

/** Of the turns before this place, with their trees: a fork of the fork finds its own by them. */
async function copyResults(artifacts: Artifacts, from: Place, to: Place, role: Role, before: number): Promise<void> {
  const copied = new Set<string>();
  for await (const { key } of artifacts.list(`${folderOf(from, role)}/results`)) {
    const place = Number(/\/(\d+)\.[^/]+$/.exec(key)?.[1] ?? NaN);
    if (!(place < before)) continue;
    const result = await getJson<StoredResult>(artifacts, key);
    if (result.checkpoint) await copyCheckpoints(artifacts, from, to, result.checkpoint, copied);
    await putJson(artifacts, moved(key, from, to), result);
  }
}

async function copyDocument(artifacts: Artifacts, key: string, to: string): Promise<void> {
  const content = await artifacts.get(key);
  if (content === null) throw new ArtifactMissing(key);
  await artifacts.put(to, content);
}

function folderOf(run: Place, role: Role): string {
  return `${runPrefix(run.runKey)}/agents/${role}`;
}

function moved(key: string, from: Place, to: Place): string {
  return `${runPrefix(to.runKey)}${key.slice(runPrefix(from.runKey).length)}`;
}
