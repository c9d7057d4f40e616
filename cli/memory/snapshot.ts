/** `memory snapshot FILE`: a whole copy of the embedded store, made while others use it. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { loadMemoryConfig } from "../../config/memory.ts";
import { snapshotEmbedded } from "../../memory/store/embedded-snapshot.ts";
import { makeFolder } from "../../memory/store/make-folder.ts";
import { CommandFailed, DONE, UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { ActionName, MemoryArgs } from "./actions.ts";

export async function run(_action: ActionName, { subject, json }: MemoryArgs, terminal: Terminal): Promise<number> {
  if (subject === undefined) throw new UsageError("FILE is missing. Write memory snapshot FILE.", "memory");
  const { file, qdrant } = loadMemoryConfig(terminal);
  if (qdrant !== null)
    throw new CommandFailed(
      "qdrant",
      "The memory stands in Qdrant (QDRANT_URL). Make a snapshot of its collection there; docs/operating.md tells how.",
    );
  if (!existsSync(file)) throw new CommandFailed("not-found", `There is no memory yet: ${file} does not exist.`);
  const target = resolve(terminal.cwd, subject);
  if (existsSync(target)) throw new CommandFailed("exists", `${target} exists already. Name another file.`);
  try {
    makeFolder(dirname(target));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandFailed(
      "cannot-write",
      `${dirname(target)} is no folder, and none can be made there (${code}). Name another file.`,
      {
        cause,
      },
    );
  }
  snapshotEmbedded(file, target);
  const { size } = await stat(target);
  if (json) terminal.document({ snapshot: target, bytes: size });
  else terminal.out(`${target}: ${size} bytes.`);
  return DONE;
}
