/** Gives each piece of code its dense vector: what is embedded is the piece under its path. */
import { headOf } from "../../domain/text.ts";
import type { Group } from "../store/store.ts";
import type { ChunkPayload } from "../code/document.ts";
import { filePrefix } from "../code/document.ts";
import { kindOf } from "../code/file-kind.ts";
import type { Embedder } from "./embedder.ts";

/** About 2,000 tokens; models of this kind blur beyond. */
const MAX_CHARACTERS = 6_000;

export async function embedGroups(
  embedder: Embedder,
  groups: readonly Group[],
  texts: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Group[]> {
  const wanted: { group: number; point: number; text: string }[] = [];
  groups.forEach(({ name, points }, group) => {
    const path = name.slice(filePrefix.length);
    const lines = texts.get(path)?.split("\n");
    if (lines === undefined || !EMBEDDED.has(kindOf(path))) return;
    points.forEach(({ payload }, point) => {
      if (point === 0) return;
      const { from, to } = payload as ChunkPayload;
      wanted.push({ group, point, text: headOf(`${path}\n${lines.slice(from - 1, to).join("\n")}`, MAX_CHARACTERS) });
    });
  });
  if (wanted.length === 0) return [...groups];
  const vectors = await embedder.embed(
    wanted.map(({ text }) => text),
    "document",
    signal,
  );
  const dense = new Map(wanted.map(({ group, point }, at) => [`${group}/${point}`, vectors[at]!]));
  return groups.map((group, at) => ({
    ...group,
    points: group.points.map((point, which) => {
      const vector = dense.get(`${at}/${which}`);
      return vector === undefined ? point : { ...point, dense: vector };
    }),
  }));
}

/** A service is paid by the word: only what a fix is likely to change. */
const EMBEDDED: ReadonlySet<string> = new Set(["source", "typings", "script", "style"]);
