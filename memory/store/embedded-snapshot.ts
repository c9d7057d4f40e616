/** A copy of the embedded store as it is at one moment: SQLite's own, so that writers and readers go on meanwhile. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import Database from "libsql";
import { inWords } from "./trouble.ts";

/** Another process may be writing a batch; it is done in far less. */
const BUSY_MS = 30_000;

/** `target` must not exist. It appears only when it is whole. */
export function snapshotEmbedded(file: string, target: string): void {
  const part = `${target}.${process.pid}.part`;
  const db = new Database(file);
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // As the store itself, for this user alone; SQLite takes a file that is empty.
    writeFileSync(part, "", { mode: 0o600 });
    db.prepare("VACUUM INTO ?").run([part]);
    renameSync(part, target);
  } catch (error) {
    throw inWords(error, file);
  } finally {
    db.close();
    rmSync(part, { force: true });
  }
}
