/** What the tools stand on. The API hands in what its token may do, the command line what the person at it may do. */
import type { Runs } from "../../api/runs.ts";
import { MergewrightError } from "../../domain/errors.ts";
import type { RepositoryName } from "../../domain/ids.ts";
import type { Asking, CodeHit, Experience } from "../../domain/memory-ports.ts";
import type { StartTask } from "../../domain/tasks.ts";

export interface McpParts {
  version: string;
  runs: Pick<Runs, "listRuns" | "getRun" | "send">;
  /** Starts a run, or finds the one under way. Throws ToolRefused with why not. */
  start(input: StartTask): Promise<{ id: string; started: boolean }>;
  /** In whose name something is said to a run: the login that was given, or the one known. Throws where there is none. */
  loginFor(id: string, given: string | undefined): Promise<string>;
  code: McpCode;
  memories: McpMemories;
  /** Why nothing can be changed here; null: everything can. */
  readOnly: string | null;
  /** Told of what nobody foresaw; the client hears only that it happened. */
  failed(error: unknown, tool: string): void;
}

export interface McpCode {
  /** What may stand for a repository here, for the tool's description. */
  repositories: string;
  search(
    repository: string | undefined,
    query: string,
    options: { limit: number } & Asking,
  ): Promise<{ repository: string; hits: CodeHit[] }>;
}

export interface McpMemories {
  experience: Experience;
  /** How much alike an earlier issue must be to count as similar, from 0 to 1. */
  threshold(repository: RepositoryName): number;
  /** Whose word a memory is: the name that was given, or the one known. Throws ToolRefused where that person may not teach. */
  teacher(repository: RepositoryName, given: string | undefined): Promise<string>;
}

/** The tool was understood and does not do it. */
export class ToolRefused extends MergewrightError {}
