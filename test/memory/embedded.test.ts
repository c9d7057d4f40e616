import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { snapshotEmbedded } from "../../memory/store/embedded-snapshot.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { inTransaction } from "../../memory/store/transaction.ts";

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
