/** Keeps the played world in a folder, so that a server that was killed goes on where it stood. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyWorld, type World } from "./world.ts";

export interface Store {
  readonly world: World;
  /** The bare repository of this id. */
  gitDirectory(repositoryId: number): string;
  /** Writes the world down: called before a change is answered. */
  save(): void;
  append(log: Log, entry: object): void;
  read<T>(log: Log): T[];
}

export type Log = "ledger" | "deliveries";

export function openStore(directory: string): Store {
  mkdirSync(join(directory, "repositories"), { recursive: true });
  const file = join(directory, "world.json");
  const world = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as World) : emptyWorld();
  const logFile = (log: Log): string => join(directory, `${log}.jsonl`);
  return {
    world,
    gitDirectory: (id) => join(directory, "repositories", `${id}.git`),
    save() {
      // Renaming is atomic: a kill leaves the old world or the new one, never half of it.
      writeFileSync(`${file}.new`, JSON.stringify(world));
      renameSync(`${file}.new`, file);
    },
    append: (log, entry) => appendFileSync(logFile(log), `${JSON.stringify(entry)}\n`),
    read<T>(log: Log): T[] {
      if (!existsSync(logFile(log))) return [];
      const lines = readFileSync(logFile(log), "utf8").split("\n");
      return lines.flatMap((line) => parseLine<T>(line));
    },
  };
}

/** The last line may be cut where the process was killed. */
function parseLine<T>(line: string): T[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as T];
  } catch {
    return [];
  }
}
