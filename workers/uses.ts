/**
 * When each sandbox was used last: the time of a small file of its name, so that all workers of one state directory know it,
 * also after a restart.
 */
import { readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "../domain/ports.ts";
import { useStateDirectory } from "./state-directory.ts";

/** A long command is use, too, also for the other workers of this state directory; well under the 10 s after which a full one removes. */
const WHILE_RUNNING_MS = 3_000;
const FORGOTTEN_AFTER_MS = 60 * 60_000;

export class Uses {
  readonly #folder: string;
  /** Commands that run now, by sandbox: in this process at once, for others see the time of the file. */
  readonly #running = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
    useStateDirectory(folder);
  }

  /** Milliseconds since 1970; null: it was never used from this state directory. */
  async lastUse(sandbox: string): Promise<number | null> {
    if (this.#running.has(sandbox)) return Date.now();
    const info = await stat(this.#file(sandbox)).catch(() => null);
    return info?.mtimeMs ?? null;
  }

  async touch(sandbox: string): Promise<void> {
    const now = new Date();
    try {
      await utimes(this.#file(sandbox), now, now);
    } catch {
      await writeFile(this.#file(sandbox), "");
    }
  }

  async forget(sandbox: string): Promise<void> {
    await rm(this.#file(sandbox), { force: true });
  }

  /** Of sandboxes that are gone nobody asks any more. One that was used lately may be in the making. */
  async keepOnly(sandboxes: readonly string[]): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (sandboxes.includes(name)) continue;
      const lastUse = await this.lastUse(name);
      if (lastUse !== null && Date.now() - lastUse > FORGOTTEN_AFTER_MS) await this.forget(name);
    }
  }

  /** The sandbox, whose commands count as use for as long as they run. */
  watch(key: string, sandbox: Sandbox): Sandbox {
    const watched: Pick<Sandbox, "run"> = {
      run: async (command, signal) => {
        this.#running.set(key, (this.#running.get(key) ?? 0) + 1);
        const timer = setInterval(() => void this.touch(key).catch(() => undefined), WHILE_RUNNING_MS);
        try {
          return await sandbox.run(command, signal);
        } finally {
          clearInterval(timer);
          await this.touch(key);
          const left = this.#running.get(key)! - 1;
          if (left > 0) this.#running.set(key, left);
          else this.#running.delete(key);
        }
      },
    };
    return new Proxy(sandbox, {
      get: (target, name) => {
        if (name === "run") return watched.run;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value as () => unknown).bind(target) : value;
      },
    });
  }

  #file(sandbox: string): string {
    return join(this.#folder, sandbox);
  }
}
