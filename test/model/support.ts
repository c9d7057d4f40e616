/** What the tests of the model share: a played server for each file, and requests as our own code makes them. */
import { composeRequest } from "../../agents/request.ts";
import type { Segment } from "../../agents/conversation.ts";
import type { Role } from "../../domain/ids.ts";
import type { ModelRequest } from "../../domain/ports.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import { bash, type Scenario } from "../../demo/model/scenario.ts";

export const settings = RepositorySettings.parse({});
export const KEY = "sk-ant-test-0123456789abcdef";

export const classification = { category: "bug" as const, summary: "It crashes.", reason: "It should not." };
export const plan = { cause: "x", steps: ["y"], files: ["a.js"], test: "t", risks: [] };

export const scenario: Scenario = {
  name: "simple",
  matches: (request) => request.opening.includes("Simple"),
  classifier: [{ data: classification }],
  planner: [{ text: "I look.", uses: [bash("ls")] }, { data: plan }],
  coder: [
    [
      { text: "I look first. Ü😀", uses: [bash("ls"), bash("cat a.js")] },
      { uses: [bash("node --test")] },
      { text: "Done." },
    ],
    [{ uses: [bash("git diff")] }, { text: "Mended." }],
  ],
  reviewer: [
    [{ data: { verdict: "request-changes", summary: "s", findings: [] } }],
    [{ data: { verdict: "approve", summary: "s", findings: [] } }],
  ],
};

export function say(text: string): Segment {
  return { role: "user", content: [{ type: "text", text }] };
}

export function request(
  role: Role,
  segments: readonly Segment[] = [say("# Brief: start\n\nSimple")],
  model = "claude-sonnet-5-5",
): ModelRequest {
  return composeRequest(role, model, settings, segments);
}

export function options(
  signal: AbortSignal = new AbortController().signal,
  onProgress: () => void = () => undefined,
): { signal: AbortSignal; onProgress: () => void } {
  return { signal, onProgress };
}
