/** What a client has asked and not been answered yet: whoever pipes questions in gets their answers before we end. */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";

export interface OpenRequests {
  /** Resolves when none is open. */
  answered(): Promise<void>;
}

/** For a transport that is connected: looks at what goes through it, and changes nothing. */
export function openRequests(transport: Transport): OpenRequests {
  const open = new Set<RequestId>();
  let tell: () => void = () => undefined;
  const close = (id: RequestId): void => {
    open.delete(id);
    if (open.size === 0) tell();
  };
  const receive = transport.onmessage;
  transport.onmessage = (message, extra) => {
    const { method, id } = message as { method?: string; id?: RequestId };
    if (method !== undefined && id !== undefined) open.add(id);
    // A request that is called off is never answered.
    if (method === "notifications/cancelled") close(cancelledBy(message));
    receive?.(message, extra);
  };
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    await send(message, options);
    if (!("method" in message) && message.id !== undefined) close(message.id);
  };
  return {
    answered: () =>
      new Promise((resolve) => {
        tell = resolve;
        if (open.size === 0) resolve();
      }),
  };
}

function cancelledBy(message: JSONRPCMessage): RequestId {
  const { params } = message as { params?: { requestId?: RequestId } };
  return params?.requestId ?? "";
}
