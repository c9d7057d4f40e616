/** Reads what claims to be an event of GitHub, or an agent's report. Never throws: a handler that throws wedges the run. */
import type { IssueEvent, SlashCommand } from "../domain/events.ts";
import type { AgentReport } from "./agent-messages.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The event, or null when a part that its kind needs is missing or of another type. */
export function parseIssueEvent(payload: unknown): IssueEvent | null {
  if (!isFields(payload) || typeof payload["at"] !== "string" || !isByOrNull(payload["by"])) return null;
  const check =
    typeof payload["kind"] === "string" && Object.hasOwn(CHECKS, payload["kind"]) ? CHECKS[payload["kind"]] : undefined;
  return check?.(payload) === true ? (payload as unknown as IssueEvent) : null;
}

/** By kind: whether the parts that only this kind has are there. */
const CHECKS: Readonly<Record<string, (event: Fields) => boolean>> = {
  command: (event) => isText(event["by"]) && isCommand(event["command"]),
  review: (event) =>
    isText(event["by"]) &&
    isText(event["sha"]) &&
    isText(event["text"]) &&
    isOneOf(event["state"], ["approved", "changes-requested", "dismissed"]),
  "head-pushed": (event) => isSha(event["sha"]),
  "pull-request-closed": (event) =>
    isNumber(event["pullRequest"]) &&
    typeof event["merged"] === "boolean" &&
    (event["mergeSha"] === null || isText(event["mergeSha"])),
  "pull-request-reopened": (event) => isNumber(event["pullRequest"]) && isText(event["sha"]),
  "checks-changed": (event) => isText(event["sha"]),
  "look-again": () => true,
  "issue-changed": (event) =>
    isOneOf(event["change"], ["closed", "reopened", "edited", "unlabeled", "transferred", "deleted"]),
};

export function isAgentReport(payload: unknown): payload is AgentReport {
  if (!isFields(payload) || !isFields(payload["progress"])) return false;
  const { turns, modelCalls, costUsd } = payload["progress"];
  const waits = payload["waitingFor"];
  return (
    isText(payload["workflowId"]) &&
    isOneOf(payload["role"], ["classifier", "planner", "coder", "reviewer"]) &&
    [turns, modelCalls, costUsd].every(isNumber) &&
    (waits === null || (isFields(waits) && isText(waits["kind"]) && isText(waits["since"])))
  );
}

function isCommand(value: unknown): value is SlashCommand {
  if (!isFields(value)) return false;
  const { verb } = value;
  if (isOneOf(verb, ["revise", "reject", "answer", "remember"])) return isText(value["text"]);
  if (verb === "budget") return isNumber(value["usd"]);
  return isOneOf(verb, ["run", "cancel", "approve", "approve-plan", "pause", "resume"]);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isSha(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{40,64}$/.test(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isOneOf(value: unknown, known: readonly string[]): boolean {
  return typeof value === "string" && known.includes(value);
}

/** Some kinds name nobody: absent and null are the same to them. */
function isByOrNull(value: unknown): boolean {
  return value === undefined || value === null || typeof value === "string";
}
