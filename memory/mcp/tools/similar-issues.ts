/** `similar_issues`: earlier issues of a repository that are like one, and how they were solved. */
import { z } from "zod";
import { scopeOfRepository, type Resolution } from "../../../domain/memory.ts";
import { lineOfMemory, RecalledDocument } from "../memory-document.ts";
import { Note, notes, withNote } from "../notes.ts";
import type { McpParts } from "../parts.ts";
import { Repository } from "../repository.ts";
import type { Tool } from "../tool.ts";
import { MAX_QUERY_CHARACTERS } from "./search-code.ts";

const Input = z.strictObject({
  repository: Repository,
  title: z.string().trim().min(1, "is empty").max(1_000).describe("The issue's title"),
  body: z.string().max(MAX_QUERY_CHARACTERS).default("").describe("The issue's text"),
  limit: z.int().min(1).max(50).default(5).describe("How many at most"),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("How much alike they must be, from 0 to 1. Default: as it is set for runs of the repository"),
});
const Output = z.object({
  repository: z.string(),
  threshold: z.number(),
  note: Note,
  issues: z.array(RecalledDocument),
});

export function similarIssues({ memories }: McpParts): Tool<typeof Input, typeof Output> {
  return {
    name: "similar_issues",
    title: "Similar issues",
    description:
      "Finds earlier issues that runs worked on and that are like this one: their cause, the files of the change, how it ended. An earlier similar fix often touches the same files.",
    input: Input,
    output: Output,
    effect: "read",
    async run({ repository, title, body, limit, threshold = memories.threshold(repository) }, signal) {
      const scope = scopeOfRepository(repository);
      const { note, told: noted } = notes();
      const options = { kinds: ["resolution"] as const, limit, threshold, signal, note };
      const found = await memories.experience.search(scope, `${title}\n${body}`.trim(), options);
      return {
        structured: {
          repository: scope.repository,
          threshold,
          note: noted(),
          issues: found.map(({ memory, score }) => ({ ...memory, score })),
        },
        text: withNote(
          found.length === 0
            ? `No earlier issue of ${scope.repository} is that much alike (${threshold}).`
            : found.map(({ memory, score }) => told(memory as Resolution, score)).join("\n\n"),
          noted(),
        ),
      };
    },
  };
}

function told(memory: Resolution, score: number): string {
  const { cause, change } = memory;
  return [`${score.toFixed(2)}  ${lineOfMemory(memory)}`, cause && `Cause: ${cause}`, change && `Change: ${change}`]
    .filter(Boolean)
    .join("\n");
}
