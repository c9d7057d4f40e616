/** `store_memory`: what a person teaches about a repository. */
import { z } from "zod";
import { scopeOfRepository } from "../../../domain/memory.ts";
import { ChangeTask, StartTask } from "../../../domain/tasks.ts";
import { Note, withNote } from "../notes.ts";
import type { McpParts } from "../parts.ts";
import { Repository } from "../repository.ts";
import type { Tool } from "../tool.ts";

const Input = z.strictObject({
  repository: Repository,
  text: z.string().trim().min(1, "is empty").max(4_000).describe("One thing to remember, in plain sentences"),
  issue: StartTask.shape.issue.optional().describe("The issue that it is about"),
  by: ChangeTask.shape.by.optional().describe("The GitHub login of the person who teaches it"),
});
const Output = z.object({
  id: z.string().describe("By it the memory can be forgotten"),
  repository: z.string(),
  note: Note,
});

export function storeMemory({ memories }: McpParts): Tool<typeof Input, typeof Output> {
  return {
    name: "store_memory",
    title: "Remember something",
    description:
      "Keeps a fact, a rule or a preference about a repository for its future runs, until somebody has it forgotten. The same words of the same person are kept once.",
    input: Input,
    output: Output,
    effect: "write",
    async run({ repository, text, issue, by: named }, signal) {
      const by = await memories.teacher(repository, named);
      const scope = scopeOfRepository(repository);
      const at = new Date().toISOString();
      const memory = memories.experience.taught({ text, by, issue: issue ?? null, at });
      const { lacking } = await memories.experience.store(scope, [memory], signal);
      const note = lacking === null ? null : `Found by words alone for now, without embeddings: ${lacking}`;
      const structured = { id: memory.id, repository: scope.repository, note };
      return { structured, text: withNote(`Remembered for ${scope.repository} as ${memory.id}.`, note) };
    },
  };
}
