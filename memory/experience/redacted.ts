/** A memory without the secrets that its texts quote: whichever way it comes in, none is kept, embedded or shown again. */
import type { Memory } from "../../domain/memory.ts";
import { redact } from "../../domain/secrets.ts";

/** @param secrets those that we hold; keys and tokens of a common shape are found without. */
export function redacted(memory: Memory, secrets: readonly string[]): Memory {
  const say = (text: string, max: number): string => redact(text, secrets).slice(0, max);
  const maybe = (text: string | null, max: number): string | null => (text === null ? null : say(text, max));
  // The lengths are those of the schema in `domain/memory.ts`: what stands in place of a secret may be longer than it.
  switch (memory.kind) {
    case "resolution":
      return {
        ...memory,
        title: say(memory.title, 500),
        problem: say(memory.problem, 8_000),
        cause: maybe(memory.cause, 4_000),
        files: memory.files.map((path) => redact(path, secrets)),
        change: maybe(memory.change, 6_000),
        evidence: maybe(memory.evidence, 2_000),
        reason: maybe(memory.reason, 2_000),
      };
    case "workflow":
      return { ...memory, title: say(memory.title, 500) };
    case "lesson":
      return { ...memory, text: say(memory.text, 1_000) };
    case "taught":
      return { ...memory, text: say(memory.text, 4_000) };
  }
}
