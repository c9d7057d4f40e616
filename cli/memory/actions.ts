/** What `mergewright memory` can do, and which options each part of it takes. A part is loaded when it is asked for: a search must be quick. */
import type { Terminal } from "../terminal.ts";

export interface MemoryArgs {
  subject?: string | undefined;
  repo?: string | undefined;
  commit?: string | undefined;
  limit?: string | undefined;
  batch?: string | undefined;
  explain?: boolean | undefined;
  issue?: string | undefined;
  id?: string | undefined;
  kind?: string | undefined;
  threshold?: string | undefined;
  by?: string | undefined;
  folders?: boolean | undefined;
  json?: boolean | undefined;
}

interface Part {
  run(action: ActionName, args: MemoryArgs, terminal: Terminal): Promise<number>;
}

interface Action {
  takes: readonly (keyof MemoryArgs)[];
  load(): Promise<Part>;
}

const code = (): Promise<Part> => import("./code.ts");
const learnt = (): Promise<Part> => import("./learnt.ts");
const lines = (): Promise<Part> => import("./lines.ts");
const snapshot = (): Promise<Part> => import("./snapshot.ts");

export const ACTIONS = {
  index: { takes: ["subject", "commit"], load: code },
  search: { takes: ["subject", "repo", "limit", "batch", "explain"], load: code },
  remove: { takes: ["subject"], load: code },
  list: { takes: ["repo", "issue", "kind", "folders"], load: learnt },
  recall: { takes: ["subject", "repo", "kind", "limit", "threshold"], load: learnt },
  remember: { takes: ["subject", "repo", "issue", "by"], load: learnt },
  forget: { takes: ["repo", "issue", "id"], load: learnt },
  export: { takes: ["repo"], load: lines },
  import: { takes: ["subject"], load: lines },
  snapshot: { takes: ["subject"], load: snapshot },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof ACTIONS;

export function isAction(word: string): word is ActionName {
  return Object.hasOwn(ACTIONS, word);
}
