/** Commands whose sandbox is lost while they run: an accident is tried again, what happens each time is the command's own doing. */
import { SandboxLost } from "../domain/errors.ts";
import type { Artifacts, CommandResult } from "../domain/ports.ts";
import { findJson, putJson } from "./artifacts.ts";

/** An engine that restarts, or a machine that runs out of memory, takes a command along once, hardly twice. */
export const MAX_LOSSES = 3;

interface Losses {
  losses: number;
}

/** Runs a command; null: it, or the sandbox around it, was ended from outside before it had a result. */
export async function unlessLost(run: () => Promise<CommandResult>): Promise<CommandResult | null> {
  try {
    const result = await run();
    return result.kind === "unknown" ? null : result;
  } catch (error) {
    if (error instanceof SandboxLost) return null;
    throw error;
  }
}

/** How often it was lost, this time included. Counted in the store: the next attempt may come to another worker. */
export async function countLoss(artifacts: Artifacts, key: string): Promise<number> {
  const before = (await findJson<Losses>(artifacts, key))?.losses ?? 0;
  await putJson(artifacts, key, { losses: before + 1 } satisfies Losses);
  return before + 1;
}

/** Work in a sandbox that is lost each time is given up instead of being tried without end. */
export async function orGivenUp<T>(
  artifacts: Artifacts,
  key: string,
  work: () => Promise<T>,
  giveUp: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SandboxLost) || (await countLoss(artifacts, key)) < MAX_LOSSES) throw error;
    return giveUp();
  }
}
