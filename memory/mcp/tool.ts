/** One tool: what it takes and gives by schema, what it does, and how its failures are told. */
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import type { z } from "zod";
import { ConfigurationError, MergewrightError } from "../../domain/errors.ts";
import { cleaned, DATA_FOLLOWS } from "./cleaned.ts";
import { ToolRefused, type McpParts } from "./parts.ts";

export interface Tool<Input extends z.ZodObject, Output extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  input: Input;
  output: Output;
  /** `read` changes nothing; `write` adds or starts something; `act` has effects outside that cannot be taken back. */
  effect: "read" | "write" | "act";
  run(input: z.infer<Input>, signal: AbortSignal): Promise<Told<z.input<Output>>>;
}

export interface Told<Structured> {
  structured: Structured;
  /** For clients that show text alone. */
  text: string;
}

/** A client that is gone or forgot its request must not keep a search or a query going. */
export const TIME_LIMIT_MS = 60_000;

export function offer<Input extends z.ZodObject, Output extends z.ZodObject>(
  server: McpServer,
  parts: Pick<McpParts, "readOnly" | "failed">,
  tool: Tool<Input, Output>,
): void {
  const { name, title, description, input, output, effect } = tool;
  const annotations = {
    readOnlyHint: effect === "read",
    destructiveHint: effect === "act",
    idempotentHint: true,
    openWorldHint: effect === "act",
  };
  const answer = async (given: unknown, { signal }: { signal: AbortSignal }): Promise<CallToolResult> => {
    try {
      if (effect !== "read" && parts.readOnly !== null) throw new ToolRefused(parts.readOnly);
      // The SDK has parsed it by the schema that is named beside it.
      const limited = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
      const { structured, text } = await tool.run(given as z.infer<Input>, limited);
      const told = effect === "read" ? `${DATA_FOLLOWS}\n${cleaned(text)}` : cleaned(text);
      return { content: [{ type: "text", text: told }], structuredContent: cleaned(structured) };
    } catch (error) {
      return { isError: true, content: [{ type: "text", text: words(error, () => parts.failed(error, name)) }] };
    }
  };
  server.registerTool(
    name,
    { title, description, inputSchema: input as z.ZodObject, outputSchema: output as z.ZodObject, annotations },
    answer,
  );
}

/** What a client is told of an error; one that nobody foresaw may hold what is none of its business. */
export function words(error: unknown, unforeseen: () => void): string {
  if (error instanceof ConfigurationError) return error.problems.join(" ");
  if (error instanceof MergewrightError) return error.message;
  if (error instanceof DOMException && error.name === "TimeoutError")
    return `No answer within ${TIME_LIMIT_MS / 1000} s. Try again, or ask for less.`;
  unforeseen();
  return "Something went wrong in Mergewright; its log says what.";
}
