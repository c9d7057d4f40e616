/** Where the memory keeps what belongs to a repository. Code and experience stand apart: each can go without the other. */
import type { MemoryScope } from "../../domain/memory.ts";
import type { Scope } from "../store/store.ts";

/** No repository of GitHub has a number sign in its name. */
const MARK = "#experience";

export function experienceScope({ tenant, repository }: MemoryScope): Scope {
  return { tenant, repository: repository + MARK };
}

/** The repository behind a scope of experience; null: the scope is of something else. */
export function repositoryOfExperience({ tenant, repository }: Scope): MemoryScope | null {
  return repository.endsWith(MARK) ? { tenant, repository: repository.slice(0, -MARK.length) } : null;
}
