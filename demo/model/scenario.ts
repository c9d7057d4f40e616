/**
 * What a played Claude says. A scenario is data: for each role the turns it takes, in order. The server keeps no place in it: which
 * turn is due is read from the request itself (the role from its system prompt, the round from its briefs, the turn from the replies
 * since the last brief), so a request that is repeated after a crash gets the same reply again.
 *
 * ```ts
 * export const scenarios: Scenario[] = [{
 *   name: "slugs",
 *   matches: aboutIssue("Slugs lose their accents"),
 *   classifier: [{ data: { category: "bug", summary: "...", reason: "..." } satisfies Classification }],
 *   planner: [{ text: "I look first.", uses: [bash("ls && cat src/slug.js")] }, { data: { cause: "...", ... } satisfies Plan }],
 *   coder: [
 *     // The round of the brief "implement": two turns with tools, then the closing words.
 *     [{ uses: [bash("npm test"), view("src/slug.js")] }, { uses: [replace("src/slug.js", "old", "new")] }, { text: "Done: ..." }],
 *     // The first brief "revise", whatever it is for.
 *     [{ uses: [bash("npm test")] }, { text: "Nothing was left to do." }],
 *   ],
 *   reviewer: [[{ data: { verdict: "approve", summary: "...", findings: [] } satisfies Review }]],
 * }];
 * ```
 */
import type Anthropic from "@anthropic-ai/sdk";
import type { Role } from "../../domain/ids.ts";

export interface Scenario {
  name: string;
  /** Is this request about the scenario? The first scenario that says so plays. Decide from the request alone. */
  matches: (request: PlayedRequest) => boolean;
  /** A last turn without tools is said again when Claude is asked once more, for instance because its answer did not fit. */
  classifier: readonly Turn[];
  planner: readonly Turn[];
  /** By round: the turns after the first brief, after the second (a revision), and so on. */
  coder: readonly (readonly Turn[])[];
  /** By the round that the review's brief names; later rounds repeat the last one. */
  reviewer: readonly (readonly Turn[])[];
}

/** One reply, or a function of the request for what cannot be known beforehand. It must depend on the request alone. */
export type Turn = PlayedTurn | ((request: PlayedRequest) => PlayedTurn);

export interface PlayedTurn {
  /** What Claude says, before it uses tools. */
  text?: string;
  /** Tools it uses, in order; several in one turn are run side by side where they only read. */
  uses?: readonly PlayedUse[];
  /** The document of a role that answers with data: sent as JSON text. */
  data?: unknown;
}

/** A tool call; made by {@link bash}, {@link view}, {@link create}, {@link replace} and {@link insert}. */
export interface PlayedUse {
  name: string;
  input: Record<string, unknown>;
}

/** A request, read. */
export interface PlayedRequest {
  /** null: no system prompt of ours. */
  role: Role | null;
  /** 0 for the first brief of the conversation; for a review, the number in its brief less one. */
  round: number;
  /** Replies since the last brief. */
  turn: number;
  /** The first user message: the issue stands in it. */
  opening: string;
  /** The last brief. */
  brief: string;
  /** The text of the last tool result, for turns that are functions. */
  lastResult: string;
  model: string;
  /** All that was said, as it was sent. */
  messages: readonly Anthropic.MessageParam[];
}

/** Matches requests whose issue holds this text, such as its title. Other issues may stand in the opening, too: those that are remembered. */
export function aboutIssue(text: string): Scenario["matches"] {
  return (request) => request.opening.split("end of issue>>", 1)[0]!.includes(text);
}

export function bash(command: string): PlayedUse {
  return { name: "bash", input: { command } };
}

export function view(path: string, range?: readonly [number, number]): PlayedUse {
  return { name: EDITOR, input: { command: "view", path, ...(range ? { view_range: [...range] } : {}) } };
}

export function create(path: string, text: string): PlayedUse {
  return { name: EDITOR, input: { command: "create", path, file_text: text } };
}

export function replace(path: string, oldText: string, newText: string): PlayedUse {
  return { name: EDITOR, input: { command: "str_replace", path, old_str: oldText, new_str: newText } };
}

export function insert(path: string, afterLine: number, text: string): PlayedUse {
  return { name: EDITOR, input: { command: "insert", path, insert_line: afterLine, insert_text: text } };
}

const EDITOR = "str_replace_based_edit_tool";
