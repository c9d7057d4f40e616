/** Who has left a name, and when: kept apart from what is remembered, so that it stays when all of that is forgotten. */
import type { Departure, MemoryScope } from "../../domain/memory.ts";
import type { PointStore } from "../store/store.ts";
import { departureScope } from "./scopes.ts";

export class Departures {
  readonly #store: PointStore;

  constructor(store: PointStore) {
    this.#store = store;
  }

  async note(name: MemoryScope | { tenant: string }, departure: Departure, signal: AbortSignal): Promise<void> {
    const scope = departureScope(name);
    const known = (await this.#store.note(scope, signal)) as Departure | null;
    if (known === null || known.at < departure.at) await this.#store.setNote(scope, { ...departure }, signal);
  }

  async of(scope: MemoryScope, signal: AbortSignal): Promise<Departure | null> {
    const own = (await this.#store.note(departureScope(scope), signal)) as Departure | null;
    const all = (await this.#store.note(departureScope({ tenant: scope.tenant }), signal)) as Departure | null;
    if (all === null || (own !== null && own.at >= all.at)) return own;
    const name = scope.repository.slice(scope.repository.indexOf("/") + 1);
    return { at: all.at, to: all.to === null ? null : `${all.to}/${name}` };
  }
}
