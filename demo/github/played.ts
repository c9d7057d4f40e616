/** The server's own state, handed to every route. */
import type { Actor } from "./access.ts";
import type { Hooks } from "./hooks.ts";
import type { Store } from "./store.ts";
import type { Repository, World } from "./world.ts";

export interface Played {
  readonly world: World;
  readonly store: Store;
  readonly hooks: Hooks;
  /** Address of this server, without a slash at its end. */
  readonly base: string;
  /** How long after a push `mergeable` stays null, in milliseconds. */
  mergeableDelayMs: number;
}

export function newId(played: Played): number {
  return played.world.nextId++;
}

/** GitHub tells times in whole seconds. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

export function gitDirectory(played: Played, repository: Repository): string {
  return played.store.gitDirectory(repository.id);
}

/** Whom a commit or an event names as its author. */
export function gitAuthor(actor: Actor): { name: string; email: string } {
  const login = actor.login ?? "github";
  return { name: login, email: `${login.replace("[bot]", "")}@users.noreply.example` };
}
