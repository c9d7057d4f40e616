/** The plan as people read it: in the status, on the page and for the approval. */
import type { Plan } from "./outputs.ts";

export function renderPlan(plan: Plan): string {
  const steps = plan.steps.map((step, index) => `${index + 1}. ${step}`);
  const risks = plan.risks.map((risk) => `- ${risk}`);
  return [
    `Cause: ${plan.cause}`,
    ...(steps.length > 0 ? ["", "Steps:", ...steps] : []),
    ...(plan.files.length > 0 ? ["", `Files: ${plan.files.join(", ")}`] : []),
    "",
    `Test: ${plan.test}`,
    ...(risks.length > 0 ? ["", "Risks:", ...risks] : []),
  ].join("\n");
}
