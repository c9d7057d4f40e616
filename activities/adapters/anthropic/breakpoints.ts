/** Counts cache breakpoints before a request is sent: Claude refuses more than four, after the wait. */
import type { ModelRequest } from "../../../domain/ports.ts";

export const MAX_BREAKPOINTS = 4;

export function countBreakpoints(request: Pick<ModelRequest, "system" | "messages" | "tools">): number {
  let found = request.system.filter(marked).length + request.tools.filter(marked).length;
  for (const message of request.messages) {
    if (typeof message.content !== "string") found += message.content.filter(marked).length;
  }
  return found;
}

function marked(block: object): boolean {
  return "cache_control" in block && block.cache_control !== null && block.cache_control !== undefined;
}
