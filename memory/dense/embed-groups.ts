/** Gives each piece of code its dense vector: what is embedded is the piece under its path. */
import { redactInPlace } from "../../domain/secrets.ts";
import type { Group } from "../store/store.ts";
import type { ChunkPayload } from "../code/document.ts";
import { filePrefix } from "../code/document.ts";
import { kindOf } from "../code/file-kind.ts";
import { documentVectors } from "./document-vectors.ts";
import type { Embedder } from "./embedder.ts";

export async function embedGroups(
  embedder: Embedder,
  groups: readonly Group[],
  texts: ReadonlyMap<string, string>,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<Embedded> {
  const wanted: { group: number; point: number; text: string }[] = [];
  groups.forEach(({ name, points }, group) => {
    const path = name.slice(filePrefix.length);
    const content = texts.get(path);
    if (content === undefined || !EMBEDDED.has(kindOf(path))) return;
    // Whoever embeds cleans each text; the middle piece of a private key alone does not look like one.
    const lines = redactInPlace(content).split("\n");
    points.forEach(({ payload }, point) => {
      if (point === 0) return;
      const { from, to } = payload as ChunkPayload;
      wanted.push({ group, point, text: `${path}\n${lines.slice(from - 1, to).join("\n")}` });
    });
  });
  const { vectors, lacking } = await documentVectors(
    embedder,
    wanted.map(({ text }) => text),
    signal,
    (at, reason) =>
      warn(`A part of ${groups[wanted[at]!.group]!.name.slice(filePrefix.length)} is found by words alone: ${reason}`),
  );
  const dense = new Map(wanted.map(({ group, point }, at) => [`${group}/${point}`, vectors[at]!]));
  const without = new Set(wanted.filter((_, at) => vectors[at] === null).map(({ group }) => group));
  return {
    lacking,
    groups: groups.map((group, at) => ({
      ...group,
      tag: without.has(at) ? withoutVectors(group.tag) : group.tag,
      points: group.points.map((point, which) => {
        const vector = dense.get(`${at}/${which}`);
        return vector instanceof Float32Array ? { ...point, dense: vector } : point;
      }),
    })),
  };
}

export interface Embedded {
  groups: Group[];
  /** Why some have no vectors for now; null: none lacks any. */
  lacking: string | null;
}

/** The next index compares tags, and finds that something is lacking here. */
export function withoutVectors(tag: string): string {
  return `${tag} without vectors`;
}

/** A service is paid by the word: only what a fix is likely to change. */
const EMBEDDED: ReadonlySet<string> = new Set(["source", "typings", "script", "style"]);
