/** The stage of the rows of group A: one token, two tenants, and deliveries that come from the test alone. */
import { beforeAll, expect } from "vitest";
import type { Stage } from "../../demo/stage.ts";
import { shortStory } from "../e2e/short-scenario.ts";
import { ended, signal } from "../e2e/support.ts";
import { type Standing, standingStage } from "./standing-stage.ts";

export const API_TOKEN = "api-token-of-the-fault-tests-0123456789";
export const GLOBEX_SECRET = "webhook-secret-of-globex-0123456789";

export function webhookStage(): () => Standing {
  const standing = standingStage(
    {
      env: { MERGEWRIGHT_API_TOKEN: API_TOKEN, GLOBEX_SECRET },
      settings: `tenants:
  globex:
    webhook_secret: { env: GLOBEX_SECRET }
issue_changes:
  unlabeled: cancel
# What no delivery brought is not to be found otherwise.
upkeep:
  reconcile_minutes: 0
`,
      // Whatever the issue says, the story is the same.
      scenarios: [{ ...shortStory({ title: "any" }), matches: () => true }],
    },
    [API_TOKEN, GLOBEX_SECRET],
  );
  // The test delivers itself.
  beforeAll(() => standing().stage.github.people.setWebhook(null));
  return standing;
}

export async function reject(stage: Stage, issue: number): Promise<void> {
  await signal(stage, issue, "reject", { by: stage.maintainer, reason: "enough seen" });
  expect((await ended(stage, issue)).outcome?.kind).toBe("declined");
}
