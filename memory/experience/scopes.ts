/** Where the memory keeps what belongs to a repository. Code, experience and departures stand apart: each can go without the others. */
import type { MemoryScope } from "../../domain/memory.ts";
import type { Scope } from "../store/store.ts";

/** No repository of GitHub has a number sign in its name. */
const MARK = "#experience";
const DEPARTURE = "#departure";

export function experienceScope({ tenant, repository }: MemoryScope): Scope {
  return { tenant, repository: repository + MARK };
}

/** Of a repository, or of all that an account has. */
export function departureScope(name: MemoryScope | { tenant: string }): Scope {
  return { tenant: name.tenant, repository: ("repository" in name ? name.repository : "") + DEPARTURE };
}

/** The repository behind a scope of experience; null: the scope is of something else. */
export function repositoryOfExperience({ tenant, repository }: Scope): MemoryScope | null {
  return repository.endsWith(MARK) ? { tenant, repository: repository.slice(0, -MARK.length) } : null;
}
