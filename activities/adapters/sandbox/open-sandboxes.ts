/** The sandboxes that this process has open: one connection for each, however many ask for it, and at the same time. */
import { SandboxLost } from "../../../domain/errors.ts";
import type { SandboxSpec } from "../../../domain/ports.ts";
import type { SandboxLog, ServedSandbox } from "./served-sandbox.ts";
import { never, Shared } from "./waiting.ts";

export class OpenSandboxes {
  readonly #reach: (spec: SandboxSpec, signal: AbortSignal) => Promise<ServedSandbox>;
  readonly #log: SandboxLog | undefined;
  readonly #opened = new Map<string, ServedSandbox>();
  readonly #opening = new Map<string, Shared<ServedSandbox>>();

  /** `reach` gives a sandbox that is not open here: one that stands already, or a new one. */
  constructor(reach: (spec: SandboxSpec, signal: AbortSignal) => Promise<ServedSandbox>, log: SandboxLog | undefined) {
    this.#reach = reach;
    this.#log = log;
  }

  async open(spec: SandboxSpec, signal: AbortSignal): Promise<ServedSandbox> {
    signal.throwIfAborted();
    let shared = this.#opening.get(spec.key);
    if (!shared || shared.isAborted) {
      const mine: Shared<ServedSandbox> = new Shared((inner) =>
        this.#open(spec, inner).finally(() => {
          if (this.#opening.get(spec.key) === mine) this.#opening.delete(spec.key);
        }),
      );
      this.#opening.set(spec.key, mine);
      shared = mine;
    }
    return shared.wait(signal);
  }

  /** For good. One that is being opened is waited for, or it would come up behind whoever closes it. */
  async close(key: string): Promise<void> {
    await this.#opening
      .get(key)
      ?.wait(never)
      .catch(() => {});
    this.drop(key, "it was closed.");
  }

  /** For good; what is being opened comes up all the same. */
  drop(key: string, reason: string): void {
    this.#opened.get(key)?.disconnect(reason, true);
    this.#opened.delete(key);
  }

  /** Of all of them; what runs goes on. */
  disconnect(reason: string): void {
    for (const sandbox of this.#opened.values()) sandbox.disconnect(reason);
    this.#opened.clear();
  }

  async #open(spec: SandboxSpec, signal: AbortSignal): Promise<ServedSandbox> {
    const known = await this.#stillThere(spec.key);
    if (known) return known;
    const sandbox = await this.#reach(spec, signal);
    await sandbox.connect();
    this.#opened.set(spec.key, sandbox);
    return sandbox;
  }

  async #stillThere(key: string): Promise<ServedSandbox | null> {
    const known = this.#opened.get(key);
    if (!known) return null;
    try {
      await known.connect();
      return known;
    } catch (error) {
      if (!(error instanceof SandboxLost)) throw error;
      this.#log?.info({ sandbox: key }, `${error.message}`);
      if (this.#opened.get(key) === known) this.#opened.delete(key);
      return null;
    }
  }
}
