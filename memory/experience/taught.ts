/** What a person says, as a memory: the same words of the same person are the same memory. */
import { createHash } from "node:crypto";
import type { Taught } from "../../domain/memory.ts";
import { headOf } from "../../domain/text.ts";

export function taught(said: { text: string; by: string; issue: number | null; at: string }): Taught {
  const text = headOf(said.text.trim(), MAX_CHARACTERS);
  const digest = createHash("sha256").update(JSON.stringify([said.by.toLowerCase(), text]));
  const { at, issue, by } = said;
  // In the order of the schema: an export is the same line wherever the memory was made.
  return { kind: "taught", id: `taught-${digest.digest("hex").slice(0, 20)}`, at, issue, text, by };
}

/** As the schema in `domain/memory.ts` has it. */
const MAX_CHARACTERS = 4_000;
