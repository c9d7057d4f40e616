/** Reads from a request which turn of which role is due, and looks it up in the scenarios. */
import type Anthropic from "@anthropic-ai/sdk";
import type { Role } from "../../domain/ids.ts";
import type { PlayedRequest, PlayedTurn, Scenario, Turn } from "./scenario.ts";

export function readRequest(body: Anthropic.MessageCreateParams): PlayedRequest {
  const system =
    typeof body.system === "string" ? body.system : (body.system ?? []).map((block) => block.text).join("\n");
  const role = (/^# Mergewright: (classifier|planner|coder|reviewer)\b/.exec(system)?.[1] ?? null) as Role | null;
  const messages = body.messages.map((message) => ({ role: message.role, texts: textsOf(message) }));
  const isBrief = (text: string): boolean => text.startsWith("# Brief: ");
  const briefAt = messages.findLastIndex((message) => message.role === "user" && message.texts.some(isBrief));
  const briefs = messages.flatMap((message) => (message.role === "user" ? message.texts.filter(isBrief) : []));
  const brief = briefs.at(-1) ?? "";
  const named = /^# Brief: review, round (\d+)/.exec(brief)?.[1];
  return {
    role,
    round: named !== undefined ? Number(named) - 1 : Math.max(0, briefs.length - 1),
    turn: messages.slice(briefAt + 1).filter((message) => message.role === "assistant").length,
    opening: messages[0]?.texts.join("\n") ?? "",
    brief,
    lastResult: lastResult(body.messages),
    model: body.model,
    messages: body.messages,
  };
}

/** What is due, or why nothing is. */
export function findTurn(
  scenarios: readonly Scenario[],
  request: PlayedRequest,
): { scenario: string; turn: PlayedTurn } | { problem: string } {
  const scenario = scenarios.find((candidate) => candidate.matches(request));
  if (!scenario)
    return {
      problem: `No scenario matches. Role: ${request.role ?? "none"}. Opening: ${request.opening.slice(0, 200)}`,
    };
  const turns = turnsOf(scenario, request);
  if (!turns)
    return { problem: `The scenario ${scenario.name} has no turns for ${request.role ?? "a request without a role"}.` };
  const due = turns[request.turn] ?? again(turns);
  return { scenario: scenario.name, turn: typeof due === "function" ? due(request) : due };
}

function turnsOf(scenario: Scenario, request: PlayedRequest): readonly Turn[] | null {
  switch (request.role) {
    case "classifier":
      return scenario.classifier;
    case "planner":
      return scenario.planner;
    case "coder":
      return scenario.coder[request.round] ?? [];
    case "reviewer":
      return scenario.reviewer[request.round] ?? scenario.reviewer.at(-1) ?? null;
    case null:
      return null;
  }
}

/** Past the end of a script: the closing words once more, or words that end the conversation. */
function again(turns: readonly Turn[]): Turn {
  const last = turns.at(-1);
  if (last !== undefined && typeof last !== "function" && (last.uses ?? []).length === 0) return last;
  return { text: "There is nothing left that I would change." };
}

function textsOf(message: Anthropic.MessageParam): string[] {
  if (typeof message.content === "string") return [message.content];
  return message.content.flatMap((block) => (block.type === "text" ? [block.text] : []));
}

function lastResult(messages: readonly Anthropic.MessageParam[]): string {
  const blocks = messages
    .flatMap((message) => (typeof message.content === "string" ? [] : message.content))
    .filter((block) => block.type === "tool_result");
  const content = blocks.at(-1)?.content ?? "";
  return typeof content === "string"
    ? content
    : content.map((block) => (block.type === "text" ? block.text : "")).join("");
}
