/** The settings that held when a run started: written once, so that steps need not carry them through the history. */
import { runPrefix } from "../domain/ids.ts";
import type { Artifacts } from "../domain/ports.ts";
import type { RunSettings } from "../domain/settings.ts";
import { getJson, putJson } from "./artifacts.ts";
import type { RunRef } from "./contract.ts";

/** Runs whose settings a worker remembers; each is about 2 kB. */
const KEPT = 500;

export class SettingsOfRuns {
  readonly #artifacts: Artifacts;
  readonly #kept = new Map<string, RunSettings>();

  constructor(artifacts: Artifacts) {
    this.#artifacts = artifacts;
  }

  async write(run: RunRef, settings: RunSettings): Promise<void> {
    await putJson(this.#artifacts, settingsKey(run), settings);
  }

  /** Throws ArtifactMissing for a run that was never opened. */
  async of(run: RunRef): Promise<RunSettings> {
    const kept = this.#kept.get(run.runKey);
    if (kept) return kept;
    const settings = await getJson<RunSettings>(this.#artifacts, settingsKey(run));
    this.#kept.set(run.runKey, settings);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return settings;
  }
}

function settingsKey(run: RunRef): string {
  return `${runPrefix(run.runKey)}/settings.json`;
}
