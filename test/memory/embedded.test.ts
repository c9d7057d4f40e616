import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { snapshotEmbedded } from "../../memory/store/embedded-snapshot.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { openStore } from "../../memory/store/open.ts";
import type { Group, PointStore } from "../../memory/store/store.ts";
import { inTransaction } from "../../memory/store/transaction.ts";
import { inWords } from "../../memory/store/trouble.ts";
import { hashOf, vectorOf } from "../../memory/text/vector.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mergewright-embedded-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the files of the embedded store", () => {
  it("are for the user alone who runs us, with their folders, and so is a copy", async () => {
    const home = join(folder, "home");
    const memory = join(home, "memory");
    const before = process.umask(0o022);
    const store = openEmbeddedStore(join(memory, "memory.db"));
    await store.setNote({ tenant: "acme", repository: "acme/shop" }, {}, new AbortController().signal);
    snapshotEmbedded(join(memory, "memory.db"), join(memory, "copy.db"));
    process.umask(before);
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect([modeOf(home), modeOf(memory)]).toEqual(["700", "700"]);
    const modes = Object.fromEntries(readdirSync(memory).map((name) => [name, modeOf(join(memory, name))]));
    expect(modes).toMatchObject({ "memory.db": "600", "memory.db-wal": "600", "copy.db": "600" });
    await store.close();
  });
});

describe("a write to the embedded store", () => {
  const file = () => join(folder, "rows.db");
  const open = () => {
    const db = new Database(file());
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE rows (text TEXT)");
    return db;
  };
  const insert = (db: Database.Database, text: string) => db.prepare("INSERT INTO rows VALUES (?)").run([text]);
  const rows = (db: Database.Database) => db.prepare("SELECT text FROM rows").raw().all() as string[][];

  it("says that the disk is full, loses nothing of before, and goes on when there is room", () => {
    const db = open();
    inTransaction(db, file(), () => insert(db, "before"));
    db.exec("PRAGMA max_page_count = 20");
    const much = () => {
      for (let at = 0; at < 100; at += 1) insert(db, "x".repeat(3_000));
    };
    expect(() => inTransaction(db, file(), much)).toThrow(ServiceUnavailable);
    expect(() => inTransaction(db, file(), much)).toThrow("the disk is full");
    db.exec("PRAGMA max_page_count = 1000");
    inTransaction(db, file(), () => insert(db, "after"));
    expect(rows(db)).toEqual([["before"], ["after"]]);
    db.close();
  });

  it("is taken back as a whole where any of it fails", () => {
    const db = open();
    expect(() =>
      inTransaction(db, file(), () => {
        insert(db, "half");
        throw new Error("stopped");
      }),
    ).toThrow("stopped");
    inTransaction(db, file(), () => insert(db, "whole"));
    expect(rows(db)).toEqual([["whole"]]);
    db.close();
  });
});

describe("trouble with the file of the embedded store", () => {
  const scope = { tenant: "acme", repository: "acme/shop" };
  const { signal } = new AbortController();
  const file = () => join(folder, "memory.db");
  const open = () => openStore({ file: file(), qdrant: null, busyMs: 10 });

  it("is told in words that say what to do, to who writes and to who reads", async () => {
    const store = await open();
    await store.setNote(scope, { text: "x".repeat(100_000) }, signal);
    await store.bytes();
    const other = new Database(file());
    other.exec("BEGIN IMMEDIATE");
    await expect(store.setNote(scope, {}, signal)).rejects.toThrow(/in use by another process.*Try again/);
    other.exec("ROLLBACK");
    other.close();
    await store.close();

    const bytes = readFileSync(file());
    writeFileSync(file(), bytes.fill(7, 4_096));
    await expect(open().then((damaged) => damaged.note(scope, signal))).rejects.toThrow(/is damaged.*snapshot/);
    writeFileSync(file(), "no database at all, and long enough to be looked at as one".repeat(100));
    await expect(open()).rejects.toThrow(/is damaged.*index again/);
  });

  it.each([
    ["SQLITE_LOCKED", "in use"],
    ["SQLITE_READONLY", "cannot be written"],
    ["SQLITE_READONLY_DBMOVED", "cannot be written"],
    ["SQLITE_IOERR_READ", "the disk reports an error"],
  ])("%s is one that is known", (code, expected) => {
    const told = inWords(Object.assign(new Error("raw"), { code }), "memory.db");
    expect(told).toBeInstanceOf(ServiceUnavailable);
    expect((told as Error).message).toContain(expected);
  });

  it("is told, too, where no folder can be made for it", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => openEmbeddedStore(join(folder, "file", "memory", "memory.db"))).toThrow(/cannot be opened.*ENOTDIR/);
    // Linux alone has it; elsewhere it is a folder above which nothing can be made.
    expect(() => openEmbeddedStore("/proc/nothing/memory/memory.db")).toThrow("cannot be opened");
  });
});

describe("what the embedded store lays out for searching", () => {
  const scope = { tenant: "acme", repository: "acme/shop" };
  const { signal } = new AbortController();
  const path = () => join(folder, "memory.db");
  const write = (store: PointStore, words: string[]) =>
    store.write(scope, { put: words.map(groupOf), remove: [] }, signal);
  const rows = (query: string) => {
    const db = new Database(path());
    const found = db.prepare(query).raw().all() as unknown[][];
    db.close();
    return found;
  };

  it("is read in place of the rows, as long as nobody has written since", async () => {
    const store = openEmbeddedStore(path());
    await write(store, ["alpha", "beta"]);
    await store.optimize(scope, signal);
    const db = new Database(path());
    db.exec("UPDATE groups SET payloads = 'not read', vectors = x''");
    db.close();
    const reader = openEmbeddedStore(path());
    expect(await find(reader, "beta")).toEqual(["file:beta"]);
    await write(store, ["alpha", "beta", "gamma"]);
    expect(await find(reader, "gamma")).toEqual(["file:gamma"]);
    await Promise.all([store.close(), reader.close()]);
  });

  it("goes with the next write and with the repository, so that nothing forgotten stays in it", async () => {
    const store = openEmbeddedStore(path());
    await write(store, ["alpha"]);
    await store.optimize(scope, signal);
    expect(rows("SELECT count(*) FROM images")).toEqual([[1]]);
    await store.write(scope, { put: [], remove: ["file:alpha"] }, signal);
    expect(rows("SELECT count(*) FROM images")).toEqual([[0]]);
    await store.optimize(scope, signal);
    await store.forget(scope, signal);
    expect(rows("SELECT count(*) FROM images")).toEqual([[0]]);
    await store.close();
  });

  it("is made anew where another version of ours laid it out, or one that did not know of it made the file", async () => {
    const old = openEmbeddedStore(path());
    await write(old, ["alpha"]);
    await old.optimize(scope, signal);
    await old.close();
    const db = new Database(path());
    db.exec("UPDATE images SET layout = layout + 1, bytes = x'ff'");
    db.close();
    const later = openEmbeddedStore(path());
    expect(await find(later, "alpha")).toEqual(["file:alpha"]);
    await later.optimize(scope, signal);
    expect(rows("SELECT length(bytes) > 1 FROM images")).toEqual([[1]]);
    await later.close();

    const before = new Database(path());
    before.exec("DROP TABLE images; PRAGMA user_version = 1");
    before.close();
    const now = openEmbeddedStore(path());
    expect(await find(now, "alpha")).toEqual(["file:alpha"]);
    await now.optimize(scope, signal);
    expect(rows("SELECT count(*) FROM images")).toEqual([[1]]);
    await now.close();
  });

  async function find(store: PointStore, word: string): Promise<string[]> {
    const [hits] = await store.search(scope, [{ vector: "chunk", terms: termsOf(word), limit: 5 }], signal);
    return hits!.map(({ group, payload }) => `${group}${payload["ok"] === true ? "" : "?"}`);
  }
});

const termsOf = (word: string) => vectorOf(new Map([[hashOf(word), 1]]));
const groupOf = (word: string): Group => ({
  name: `file:${word}`,
  tag: "1",
  points: [{ payload: { ok: true }, vectors: { chunk: termsOf(word) } }],
});
