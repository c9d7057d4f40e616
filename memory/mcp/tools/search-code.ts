/** `search_code`: the files of a repository that a text is about. */
import { z } from "zod";
import type { CodeHit } from "../../../domain/memory-ports.ts";
import { Note, notes, withNote } from "../notes.ts";
import type { McpParts } from "../parts.ts";
import type { Tool } from "../tool.ts";

/** An issue with its discussion is shorter; more says nothing new to a search by words. */
export const MAX_QUERY_CHARACTERS = 65_536;

const Output = z.object({
  repository: z.string(),
  note: Note,
  results: z.array(
    z.object({
      path: z.string(),
      score: z.number().describe("Comparable within this answer only"),
      lines: z.tuple([z.int(), z.int()]).describe("First and last line of the piece that fits best"),
      why: z.array(z.string()),
    }),
  ),
});

export function searchCode({ code }: McpParts) {
  const Input = z.strictObject({
    query: z
      .string()
      .trim()
      .min(1, "is empty")
      .max(MAX_QUERY_CHARACTERS)
      .describe("An issue's text, an error message, names"),
    repository: z.string().min(1).max(4096).optional().describe(code.repositories),
    limit: z.int().min(1).max(100).default(10).describe("How many files at most"),
  });
  const tool: Tool<typeof Input, typeof Output> = {
    name: "search_code",
    title: "Search code",
    description:
      "Finds the files of a repository that an issue, an error message or a question is about: best first, with the lines that fit and why. Made from words, names, paths and history, without a model.",
    input: Input,
    output: Output,
    effect: "read",
    async run({ query, repository, limit }, signal) {
      const { note, told } = notes();
      const { repository: searched, hits } = await code.search(repository, query, { limit, signal, note });
      const results = hits.map(({ path, score, lines, why }) => ({ path, score, lines, why }));
      return { structured: { repository: searched, note: told(), results }, text: withNote(textOf(hits), told()) };
    },
  };
  return tool;
}

function textOf(hits: readonly CodeHit[]): string {
  if (hits.length === 0) return "Nothing fits.";
  return hits.map(({ path, lines, why }) => `${path}:${lines[0]}-${lines[1]}  ${why.join("; ")}`).join("\n");
}
