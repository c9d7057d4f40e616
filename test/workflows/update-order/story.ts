/** A run in small: a step ends, the next begins, and somebody may say something at any moment. */
import { condition, defineQuery, defineUpdate, proxyActivities, setHandler } from "@temporalio/workflow";

export const speak = defineUpdate<string>("speak");
export const heard = defineQuery<boolean>("heard");

const { step, next, check } = proxyActivities<Record<"step" | "next" | "check", () => Promise<void>>>({
  startToCloseTimeout: "1 minute",
});

export async function story(): Promise<void> {
  let spoken = false;
  setHandler(heard, () => spoken);
  setHandler(speak, async () => {
    await check();
    spoken = true;
    return "heard";
  });
  await step();
  await next();
  await condition(() => spoken);
}
