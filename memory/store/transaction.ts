/** All of some writes to the embedded store, or none. */
import type Database from "libsql";
import { inWords } from "./trouble.ts";

/** IMMEDIATE: a transaction that begins by reading could not wait for another writer. */
export function inTransaction(db: Database.Database, file: string, work: () => void): void {
  try {
    db.exec("BEGIN IMMEDIATE");
    work();
    db.exec("COMMIT");
  } catch (error) {
    // A full disk has ended it already, and another ROLLBACK would throw in place of the cause.
    if (db.inTransaction) db.exec("ROLLBACK");
    throw inWords(error, file);
  }
}
