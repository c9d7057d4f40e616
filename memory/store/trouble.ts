/** What is expected to go wrong with the embedded store's file, and what a person can do about it. */
import { ServiceUnavailable } from "../../domain/errors.ts";
import type { PointStore } from "./store.ts";

/** The store, whose every failure of SQLite is told in these words. */
export function tellingTrouble(store: PointStore, file: string): PointStore {
  const told =
    <Args extends unknown[], Answer>(work: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      try {
        return await work(...args);
      } catch (error) {
        throw inWords(error, file);
      }
    };
  return {
    kind: store.kind,
    groups: told(store.groups),
    names: told(store.names),
    payloads: told(store.payloads),
    write: told(store.write),
    optimize: told(store.optimize),
    search: told(store.search),
    note: told(store.note),
    setNote: told(store.setNote),
    forget: told(store.forget),
    scopes: told(store.scopes),
    bytes: told(store.bytes),
    close: () => store.close(),
  };
}

/** The error itself where it is none that we know. */
export function inWords(error: unknown, file: string): unknown {
  const { code } = error as { code?: unknown };
  // SQLITE_IOERR_READ and the like say more than we need.
  const family = typeof code === "string" ? /^SQLITE_[A-Z]+/.exec(code)?.[0] : undefined;
  const advice = family === undefined ? undefined : ADVICE[family];
  return advice === undefined
    ? error
    : new ServiceUnavailable("memory", `The memory ${file} ${advice}`, { cause: error });
}

const OTHERS = "is in use by another process for longer than is waited for. Try again when that is done.";
const BROKEN =
  "is damaged. Stop everything that uses it, move it away, and put a snapshot in its place (`memory snapshot` makes them), or begin with an empty one and index again.";

const ADVICE: Readonly<Record<string, string>> = {
  SQLITE_BUSY: OTHERS,
  SQLITE_LOCKED: OTHERS,
  SQLITE_CORRUPT: BROKEN,
  SQLITE_NOTADB: BROKEN,
  SQLITE_READONLY: "cannot be written. Give this user the right to write to it and to its folder.",
  SQLITE_IOERR:
    "cannot be read or written: the disk reports an error. Look at the disk; if the file has suffered, put a snapshot in its place.",
  SQLITE_FULL: "cannot be written: the disk is full. Make room there; what was stored before is whole.",
};
