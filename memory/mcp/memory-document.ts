/** A memory as the tools tell it. */
import { z } from "zod";
import { cleanLine } from "../../agents/untrusted.ts";
import { MEMORY_KINDS, type Memory } from "../../domain/memory.ts";
import { oneLine } from "../../domain/text.ts";

/** By its kind it has more: `domain/memory.ts`. */
export const MemoryDocument = z.looseObject({
  id: z.string(),
  kind: z.enum(MEMORY_KINDS),
  at: z.string().describe("When it was learnt, ISO 8601"),
  issue: z.number().nullable().describe("The issue that it came from"),
});

export const RecalledDocument = MemoryDocument.extend({
  score: z.number().describe("How much alike, from 0 to 1; about .7 and above is worth a look"),
});

export function lineOfMemory(memory: Memory): string {
  const from = memory.issue === null ? "" : `#${memory.issue} `;
  switch (memory.kind) {
    case "resolution": {
      const files = memory.files.slice(0, 5).join(", ");
      const how = memory.outcome + (memory.reverted ? ", reverted" : "");
      return `${from}${oneLine(cleanLine(memory.title).text, 120)} (${how})${files ? `: ${files}` : ""}`;
    }
    case "workflow":
      return `${from}${oneLine(cleanLine(memory.title).text, 120)}: ${memory.turns} turns, $${memory.costUsd.toFixed(2)}, ${memory.outcome}`;
    case "lesson":
      return `${from}lesson${memory.confirmed ? "" : " (not confirmed)"}: ${oneLine(memory.text, 300)}`;
    case "taught":
      return `${from}${oneLine(memory.text, 300)} (taught by ${memory.by})`;
  }
}
