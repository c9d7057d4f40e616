/** Small pieces that several chapters of the story share. */
import { log } from "@temporalio/workflow";
import type { Role } from "../domain/ids.ts";
import { closeSandbox } from "./activities.ts";
import { reasonOf } from "./parked.ts";
import type { Run } from "./run.ts";

/** Thrown when the issue is not one to work on; the message says why, to the person who wrote it. */
export class Declined extends Error {}

/** Thrown when an agent reached a limit without a usable answer. */
export class GaveUp extends Error {
  constructor(role: Role, reason: string) {
    super(`the ${role} gave up: ${reason}`);
  }
}

/** Ends sandboxes of the run; without a list, all that it has opened. An engine that does not answer stops no run. */
export async function closeSandboxes(run: Run, purposes: readonly string[] = [...run.sandboxes]): Promise<void> {
  const opened = purposes.filter((purpose) => run.sandboxes.has(purpose));
  const { queue } = run.home;
  // A home that is gone takes its sandboxes along, or sees to them itself when it comes back.
  const closing =
    queue === null
      ? []
      : opened.map((purpose) =>
          closeSandbox.executeWithOptions({ taskQueue: queue, scheduleToStartTimeout: "10s" }, [
            { run: run.ref, purpose },
          ]),
        );
  for (const closed of await Promise.allSettled(closing)) {
    if (closed.status === "rejected") log.warn("a sandbox could not be closed", { reason: reasonOf(closed.reason) });
  }
  for (const purpose of opened) run.sandboxes.delete(purpose);
}
