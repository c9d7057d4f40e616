/** Memories as JSON lines, one a line with its repository: for a copy, for moving, and for reading. */
import { z } from "zod";
import { ConfigurationError } from "../../domain/errors.ts";
import { isRepositoryName } from "../../domain/ids.ts";
import { Memory, type MemoryScope, scopeOfRepository } from "../../domain/memory.ts";
import type { Experience } from "../../domain/memory-ports.ts";

/** The newest first. Each ends with a line break. */
export async function exportLines(experience: Experience, scope: MemoryScope, signal: AbortSignal): Promise<string[]> {
  const memories = await experience.list(scope, {}, signal);
  return memories.map((memory) => `${JSON.stringify({ repository: scope.repository, ...memory })}\n`);
}

export interface ImportedLine {
  scope: MemoryScope;
  memory: Memory;
}

/** What {@link exportLines} wrote. Throws ConfigurationError that names every line that is none of it, and reads nothing then. */
export function readLines(text: string): ImportedLine[] {
  const problems: string[] = [];
  const found: ImportedLine[] = [];
  for (const [at, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    const read = readLine(line);
    if (typeof read === "string") problems.push(`Line ${at + 1} ${read}`);
    else found.push(read);
    if (problems.length >= MAX_PROBLEMS) break;
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return found;
}

const MAX_PROBLEMS = 20;
const Home = z.object({ repository: z.string().refine(isRepositoryName, "is not OWNER/NAME") });

function readLine(line: string): ImportedLine | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `is not JSON (${(error as Error).message}).`;
  }
  const home = Home.safeParse(value);
  if (!home.success) return 'has no "repository" of the form OWNER/NAME.';
  const { repository, ...rest } = value as { repository: string };
  const memory = Memory.safeParse(rest);
  if (memory.success) return { scope: scopeOfRepository(repository), memory: memory.data };
  const wrong = memory.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
  return `is no memory: ${wrong.join("; ").slice(0, 300)}.`;
}

/** Stores what was read, repository by repository. Tells how many memories there were in each. */
export async function importLines(
  experience: Experience,
  lines: readonly ImportedLine[],
  signal: AbortSignal,
): Promise<{ repository: string; memories: number }[]> {
  const byRepository = new Map<string, ImportedLine[]>();
  for (const line of lines) {
    const known = byRepository.get(line.scope.repository);
    if (known) known.push(line);
    else byRepository.set(line.scope.repository, [line]);
  }
  const done: { repository: string; memories: number }[] = [];
  for (const [repository, each] of byRepository) {
    await experience.store(
      each[0]!.scope,
      each.map(({ memory }) => memory),
      signal,
    );
    done.push({ repository, memories: each.length });
  }
  return done;
}
