/** The commands by name. Each is loaded when it is needed: `--help` need not wait for Temporal's client. */
import type { Command } from "./command.ts";

export interface Entry {
  description: string;
  load: () => Promise<{ default: Command }>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  init: {
    description: "Write a commented mergewright.yaml with every setting and its default",
    load: () => import("./init.ts"),
  },
  doctor: {
    description: "Check everything outside that a run needs, and say how to mend it",
    load: () => import("./doctor.ts"),
  },
  start: {
    description:
      "Run everything in one process: webhook and pages, worker, and an embedded Temporal server where none is named",
    load: () => import("./start.ts"),
  },
  api: { description: "Run the webhook receiver, the pages and the API", load: () => import("./api.ts") },
  worker: { description: "Run a worker", load: () => import("./worker.ts") },
  run: { description: "Resolve an issue now", load: () => import("./run.ts") },
  status: { description: "Show the latest runs, or one of them in full", load: () => import("./status.ts") },
  memory: {
    description:
      "Find the files that an issue is about (index, search), and what runs learnt (list, recall, remember, forget, export, import)",
    load: () => import("./memory.ts"),
  },
  mcp: {
    description: "Serve tools and resources to a program over standard input and output (Model Context Protocol)",
    load: () => import("./mcp.ts"),
  },
  approve: {
    description: "Approve what a run waits for: its plan, or the merge of its pull request",
    load: () => import("./approve.ts"),
  },
  reject: { description: "End a run and close its pull request without merging it", load: () => import("./reject.ts") },
  pause: { description: "Let a run wait after its present step", load: () => import("./pause.ts") },
  resume: { description: "Let a paused run go on", load: () => import("./resume.ts") },
  fork: {
    description: "Go on from an earlier turn of a run, with its tree and conversation, in a new run beside it",
    load: () => import("./fork.ts"),
  },
  replay: {
    description: "Tell whether runs fit the workflow code of this version, by replaying their histories",
    load: () => import("./replay.ts"),
  },
  cancel: {
    description: "End a run: its sandbox, its draft, with one explaining comment",
    load: () => import("./cancel.ts"),
  },
};
