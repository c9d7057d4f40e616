/** The workflow types of this product. */
export { handleDelivery } from "./handle-delivery.ts";
export { indexRepository } from "./index-repository.ts";
export { keepMemories } from "./keep-memories.ts";
export { resolveIssue } from "./resolve-issue.ts";
export { runAgent } from "./run-agent.ts";
export { memoryRetention, reconcile, retention } from "./upkeep.ts";
