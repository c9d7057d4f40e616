/** The protocol over HTTP: one request, one answer, nothing kept between them, so that any number of API processes serve the same clients. */
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { McpHandler } from "../../api/mcp.ts";
import type { McpParts } from "./parts.ts";
import { createMcpServer } from "./server.ts";

export function createMcpHandler(parts: McpParts): McpHandler {
  return async (request, message) => {
    const server = createMcpServer(parts);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    // A client that went away needs no answer: closing cancels what is being done for it.
    const gone = new Promise<Response>((resolve) => {
      request.signal.addEventListener("abort", () => resolve(new Response(null, { status: 499 })), { once: true });
    });
    try {
      return await Promise.race([transport.handleRequest(request, { parsedBody: message }), gone]);
    } finally {
      await server.close();
    }
  };
}
