/** The store that needs no server: one libsql (SQLite) file, read into memory for searching, safe for several processes. */
import { closeSync, existsSync, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import Database from "libsql";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { type Image, imageOf, LAYOUT, openImage } from "./image.ts";
import { makeFolder } from "./make-folder.ts";
import { packGroup, type Row } from "./packed.ts";
import { searchImage } from "./postings.ts";
import type { Change, Hit, Json, PointStore, Query, Scope } from "./store.ts";
import { inTransaction } from "./transaction.ts";
import { inWords } from "./trouble.ts";

/** Another process may be writing a batch; it is done in far less. Nothing else of this process goes on while it waits. */
const BUSY_MS = 30_000;
/** Repositories held in memory at once, those used last. */
const MAX_LOADED = 8;

/**
 * A scope's number is drawn, never counted: SQLite gives the highest one to the next scope as soon as it is free, and what another
 * connection holds under that number would then be shown to somebody else. 53 bits, as many as a number of JavaScript holds exactly.
 */
const DRAWN = "random() & 9007199254740991";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS scopes (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    repository TEXT NOT NULL,
    note TEXT,
    revision INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, repository)
  );
  CREATE TABLE IF NOT EXISTS groups (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    payloads TEXT NOT NULL,
    vectors BLOB NOT NULL,
    dense BLOB,
    UNIQUE (scope, name)
  );
  CREATE TABLE IF NOT EXISTS images (
    scope INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    bytes BLOB NOT NULL
  );
  PRAGMA user_version = 2;
`;
const VERSION = 2;

/** SQLite takes no blob above 1 GB; one of a million files. Without an image a search reads the rows. */
const MAX_IMAGE_BYTES = 900_000_000;

export function openEmbeddedStore(file: string, busyMs = BUSY_MS): PointStore {
  const { db, version } = openFile(file, busyMs);
  if (version < VERSION) inTransaction(db, file, () => db.exec(SCHEMA));
  const loaded = new Map<number, { revision: number; image: Image }>();

  const findScope = db.prepare("SELECT id, note, revision FROM scopes WHERE tenant = ? AND repository = ?");
  const scopeRow = ({ tenant, repository }: Scope): ScopeRow | undefined =>
    findScope.get([tenant, repository]) as ScopeRow | undefined;
  const ensureScope = (scope: Scope): number => {
    const found = scopeRow(scope);
    if (found !== undefined) return found.id;
    db.prepare(`INSERT INTO scopes (id, tenant, repository) VALUES (${DRAWN}, ?, ?)`).run([
      scope.tenant,
      scope.repository,
    ]);
    return scopeRow(scope)!.id;
  };

  /** What is searched: read again when any process has written since. */
  function fresh({ id, revision }: ScopeRow): Image {
    const kept = loaded.get(id);
    loaded.delete(id);
    const now = kept?.revision === revision ? kept : { revision, image: readyMade(id, revision) ?? fromRows(id) };
    loaded.set(id, now);
    for (const oldest of loaded.keys()) {
      if (loaded.size <= MAX_LOADED) break;
      loaded.delete(oldest);
    }
    return now.image;
  }

  function readyMade(id: number, revision: number): Image | null {
    const select = db.prepare("SELECT bytes FROM images WHERE scope = ? AND revision = ? AND layout = ?").raw();
    const [row] = select.all([id, revision, LAYOUT]) as [Uint8Array][];
    return row === undefined ? null : openImage(row[0]);
  }

  function fromRows(id: number): Image {
    return openImage(imageOf(rowsOf(id)));
  }

  function rowsOf(id: number): Row[] {
    return db.prepare("SELECT name, payloads, vectors, dense FROM groups WHERE scope = ?").raw().all([id]) as Row[];
  }

  return {
    kind: "embedded",
    async groups(scope, prefix, signal) {
      signal.throwIfAborted();
      const row = scopeRow(scope);
      if (row === undefined) return new Map();
      const select = db.prepare("SELECT name, tag FROM groups WHERE scope = ? AND substr(name, 1, ?) = ?");
      return new Map(select.raw().all([row.id, prefix.length, prefix]) as [string, string][]);
    },
    async names(scope, prefix, signal) {
      signal.throwIfAborted();
      const row = scopeRow(scope);
      return row === undefined ? [] : fresh(row).names.filter((name) => name.startsWith(prefix));
    },
    async payloads(scope, prefix, signal) {
      signal.throwIfAborted();
      const row = scopeRow(scope);
      if (row === undefined) return new Map();
      const select = db.prepare("SELECT name, payloads FROM groups WHERE scope = ? AND substr(name, 1, ?) = ?");
      const rows = select.raw().all([row.id, prefix.length, prefix]) as [string, string][];
      return new Map(rows.map(([name, payloads]) => [name, (JSON.parse(payloads) as Json[])[0]!]));
    },
    async write(scope: Scope, { put, remove }: Change, signal) {
      signal.throwIfAborted();
      inTransaction(db, file, () => {
        const id = ensureScope(scope);
        const drop = db.prepare("DELETE FROM groups WHERE scope = ? AND name = ?");
        for (const name of remove) drop.run([id, name]);
        const insert = db.prepare(
          "INSERT OR REPLACE INTO groups (scope, name, tag, payloads, vectors, dense) VALUES (?, ?, ?, ?, ?, ?)",
        );
        for (const group of put) {
          const { payloads, vectors, dense } = packGroup(group.points);
          insert.run([id, group.name, group.tag, payloads, vectors, dense]);
        }
        db.prepare("UPDATE scopes SET revision = revision + 1 WHERE id = ?").run([id]);
        // It would keep what was taken away.
        db.prepare("DELETE FROM images WHERE scope = ?").run([id]);
      });
    },
    async optimize(scope, signal) {
      signal.throwIfAborted();
      const row = scopeRow(scope);
      if (row === undefined) return;
      const { id, revision } = row;
      const there = db.prepare("SELECT 1 FROM images WHERE scope = ? AND revision = ? AND layout = ?");
      if (there.get([id, revision, LAYOUT]) !== undefined) return;
      const bytes = imageOf(rowsOf(id));
      if (bytes.byteLength > MAX_IMAGE_BYTES) return;
      inTransaction(db, file, () => {
        // Who has written in between makes its own.
        if (scopeRow(scope)?.revision !== revision) return;
        const insert = "INSERT OR REPLACE INTO images (scope, revision, layout, bytes) VALUES (?, ?, ?, ?)";
        db.prepare(insert).run([id, revision, LAYOUT, bytes]);
      });
    },
    async search(scope, queries: readonly Query[], signal): Promise<Hit[][]> {
      signal.throwIfAborted();
      const row = scopeRow(scope);
      return row === undefined ? queries.map(() => []) : searchImage(fresh(row), queries);
    },
    async note(scope, signal) {
      signal.throwIfAborted();
      const note = scopeRow(scope)?.note;
      return note == null ? null : (JSON.parse(note) as Json);
    },
    async setNote(scope, note, signal) {
      signal.throwIfAborted();
      inTransaction(db, file, () => {
        db.prepare("UPDATE scopes SET note = ? WHERE id = ?").run([JSON.stringify(note), ensureScope(scope)]);
      });
    },
    async forget(scope, signal) {
      signal.throwIfAborted();
      const row = scopeRow(scope);
      if (row === undefined) return;
      loaded.delete(row.id);
      inTransaction(db, file, () => {
        db.prepare("DELETE FROM groups WHERE scope = ?").run([row.id]);
        db.prepare("DELETE FROM images WHERE scope = ?").run([row.id]);
        db.prepare("DELETE FROM scopes WHERE id = ?").run([row.id]);
      });
    },
    async scopes(signal) {
      signal.throwIfAborted();
      return db.prepare("SELECT tenant, repository FROM scopes WHERE note IS NOT NULL").all() as Scope[];
    },
    async bytes() {
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return (await stat(file)).size;
    },
    async close() {
      loaded.clear();
      db.close();
    },
  };
}

function openFile(file: string, busyMs: number): { db: Database.Database; version: number } {
  try {
    // Code and what was said in private repositories: for this user alone. SQLite gives its other files the same rights.
    makeFolder(dirname(file), 0o700);
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    const db = new Database(file);
    db.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    // What is forgotten should not stay readable in the file's free pages.
    db.exec("PRAGMA secure_delete = ON");
    const [{ user_version: version }] = db.prepare("PRAGMA user_version").all() as [{ user_version: number }];
    return { db, version };
  } catch (cause) {
    const told = inWords(cause, file);
    if (told !== cause) throw told;
    throw new ServiceUnavailable(
      "memory",
      `The memory ${file} cannot be opened: ${(cause as Error).message}. May this user write there (MERGEWRIGHT_HOME), is there room on the disk, is the file whole?`,
      { cause },
    );
  }
}

interface ScopeRow {
  id: number;
  note: string | null;
  revision: number;
}
