/** A workflow of one step on another task queue, as a run's first step in a sandbox. */
import { proxyActivities } from "@temporalio/workflow";

export async function queuedStep(taskQueue: string, name: string): Promise<void> {
  const { serve } = proxyActivities<{ serve(name: string): Promise<void> }>({ taskQueue, startToCloseTimeout: "10s" });
  await serve(name);
}
