/** What a search says of itself beside its answer. */
import { z } from "zod";

export const Note = z
  .string()
  .nullable()
  .describe("What the search had to do without, such as embeddings, so that more may fit than is shown; null: nothing");

/** Collects what a search tells. */
export function notes(): { note: (text: string) => void; told: () => string | null } {
  const all: string[] = [];
  return {
    note: (text) => void (all.includes(text) || all.push(text)),
    told: () => (all.length === 0 ? null : all.join(" ")),
  };
}

export function withNote(text: string, note: string | null): string {
  return note === null ? text : `${text}\n\nNote: ${note}`;
}
