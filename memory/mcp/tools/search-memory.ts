/** `search_memory`: what was learnt and taught about a repository. */
import { z } from "zod";
import { MEMORY_KINDS, scopeOfRepository } from "../../../domain/memory.ts";
import { lineOfMemory, RecalledDocument } from "../memory-document.ts";
import { Note, notes, withNote } from "../notes.ts";
import type { McpParts } from "../parts.ts";
import { Repository } from "../repository.ts";
import type { Tool } from "../tool.ts";
import { MAX_QUERY_CHARACTERS } from "./search-code.ts";

const Input = z.strictObject({
  repository: Repository,
  query: z.string().trim().min(1, "is empty").max(MAX_QUERY_CHARACTERS).describe("What it should be about"),
  kinds: z
    .array(z.enum(MEMORY_KINDS))
    .min(1)
    .max(MEMORY_KINDS.length)
    .optional()
    .describe(
      "resolution: how an issue was solved; workflow: how the run went; lesson: learnt by a review; taught: said by a person. Default: all",
    ),
  limit: z.int().min(1).max(100).default(10).describe("How many at most"),
  threshold: z.number().min(0).max(1).default(0).describe("How much alike they must be, from 0 to 1"),
});
const Output = z.object({ repository: z.string(), note: Note, memories: z.array(RecalledDocument) });

export function searchMemory({ memories }: McpParts): Tool<typeof Input, typeof Output> {
  return {
    name: "search_memory",
    title: "Search memory",
    description:
      "Finds what Mergewright remembers of a repository that is like a text: earlier issues and how they were solved, lessons, what people taught. Best first.",
    input: Input,
    output: Output,
    effect: "read",
    async run({ repository, query, kinds, limit, threshold }, signal) {
      const scope = scopeOfRepository(repository);
      const { note, told } = notes();
      const options = { limit, threshold, signal, note, ...(kinds ? { kinds } : {}) };
      const found = await memories.experience.search(scope, query, options);
      return {
        structured: {
          repository: scope.repository,
          note: told(),
          memories: found.map(({ memory, score }) => ({ ...memory, score })),
        },
        text: withNote(
          found.length === 0
            ? `Nothing that is remembered of ${scope.repository} fits.`
            : found.map(({ memory, score }) => `${score.toFixed(2)}  ${lineOfMemory(memory)}`).join("\n"),
          told(),
        ),
      };
    },
  };
}
