/** Small words to write down what a model said: each makes one turn, in the blocks of the Messages API. */
import type { Classification, Plan, Review } from "../../domain/outputs.ts";

/** What a model may put into an answer here. Tool calls get their ids from where they stand. */
export type RecordedBlock =
  | { type: "text"; text: string }
  | { type: "tool_use"; name: "bash"; input: { command: string } }
  | { type: "tool_use"; name: "str_replace_based_edit_tool"; input: EditorInput };

export type EditorInput =
  | { command: "view"; path: string; view_range?: [number, number] }
  | { command: "create"; path: string; file_text: string }
  | { command: "str_replace"; path: string; old_str: string; new_str: string }
  | { command: "insert"; path: string; insert_line: number; insert_text: string };

export type RecordedTurn = RecordedBlock[];

/** One conversation for each time that a role is called, in order. */
export interface Recording {
  classifier: RecordedTurn[][];
  planner: RecordedTurn[][];
  coder: RecordedTurn[][];
  reviewer: RecordedTurn[][];
}

/** A turn that says something and then uses tools; without tools it is the last one. */
export function turn(text: string, ...calls: RecordedBlock[]): RecordedTurn {
  return [{ type: "text", text }, ...calls];
}

/** The last turn of a role that answers with data. */
export function answer(value: Classification | Plan | Review): RecordedTurn {
  return [{ type: "text", text: JSON.stringify(value, null, 2) }];
}

export function bash(command: string): RecordedBlock {
  return { type: "tool_use", name: "bash", input: { command } };
}

export function view(path: string): RecordedBlock {
  return { type: "tool_use", name: "str_replace_based_edit_tool", input: { command: "view", path } };
}

export function replace(path: string, oldText: string, newText: string): RecordedBlock {
  const input = { command: "str_replace" as const, path, old_str: oldText, new_str: newText };
  return { type: "tool_use", name: "str_replace_based_edit_tool", input };
}
