/** A run that goes on from an earlier turn of another: what it takes over, and what it tells the other. */
import { getExternalWorkflowHandle } from "@temporalio/workflow";
import type { Said, TakenOver } from "../activities/contract.ts";
import { type CarriedRound, nothingYet } from "./agent-messages.ts";
import { openRun, takeOver } from "./activities.ts";
import { type Fork, signals } from "./messages.ts";
import { reasonOf } from "./parked.ts";
import type { Run } from "./run.ts";

type LastTurn = Extract<TakenOver, { kind: "taken" }>["turn"];

/** How an agent begins in the middle: with something to say, with the answer that it had given already, or after a rest. */
export type Opening =
  | { kind: "say"; said: Said }
  | { kind: "answered"; text: string | null; data: unknown }
  | { kind: "round"; carried: CarriedRound };

/** Brings the run to where the other one was after that turn. */
export async function goOnFrom(run: Run, fork: Fork): Promise<void> {
  const { of, role, turn, instruct, base, trees } = fork;
  const commits = [base.commit, ...trees.flatMap((tree) => [tree.base.commit, tree.from, ...(tree.onto ?? [])])];
  const since = trees.at(-1)?.since ?? 0;
  const first = run.firstStep();
  const { firstRunId } = first;
  const what = { run: run.ref, from: of, role, turn, since, commits };
  const taken = await run.step(() => takeOver({ ...what, ...(firstRunId === undefined ? {} : { firstRunId }) }));
  if (taken.kind === "gone") throw new Error(taken.reason);
  run.ground = await run.step(() => openRun(first));
  run.status.title = run.ground.title;
  run.status.category = fork.classification.category;
  run.base = base;
  const { key, checkpoint } = taken.turn;
  run.team.openWith(
    role,
    { ...nothingYet, previous: key, checkpoint, turn, turns: turn },
    openingAfter(taken.turn, instruct),
  );
}

/** What comes after the last reply that was taken over, the same as in the run that it came from; and what a person says on top. */
export function openingAfter({ stopReason, calls, answer }: LastTurn, instruct: string | null): Opening {
  const say = (said: Said): Opening => ({ kind: "say", said: instruct === null ? said : told(instruct) });
  const results: Said = {
    kind: "results",
    calls,
    ...(instruct === null ? {} : { note: `A person adds: ${instruct}` }),
  };
  switch (stopReason) {
    case "tool_use":
      return { kind: "say", said: results };
    case "pause_turn":
      return say({ kind: "continue" });
    case "max_tokens":
      return say({ kind: "cut-off", calls });
    case "refusal":
    case "model_context_window_exceeded":
      return say({ kind: "text", text: GO_ON });
    default:
      if (calls.length > 0) return { kind: "say", said: results };
      if (instruct !== null) return { kind: "say", said: told(instruct) };
      if (answer === null) return { kind: "say", said: { kind: "text", text: GO_ON } };
      if (answer.kind === "invalid") return { kind: "say", said: { kind: "text", text: answer.problem } };
      return answer.kind === "text"
        ? { kind: "answered", text: answer.text, data: null }
        : { kind: "answered", text: null, data: answer.value };
  }
}

const GO_ON = "Go on with the work, or answer.";

/** Like a person's wish for the finished change: calls that are left open are answered, and not run. */
function told(text: string): Said {
  return { kind: "brief", brief: { kind: "revise", because: "human", text } };
}

/** The other run ends, and says why, now that there is something in its place. */
export async function replaceOriginal(run: Run, { of, turn, role, replaces }: Fork): Promise<void> {
  if (replaces === null) return;
  const { number } = run.status.pullRequest!;
  const reason = `replaced by #${number}, which goes on from turn ${turn} of its ${role}`;
  try {
    await getExternalWorkflowHandle(of.id).signal(signals.reject, { by: replaces.by, reason });
  } catch (error) {
    run.notice("replaced run", `${of.id} was not told that it is replaced: ${reasonOf(error)}`);
  }
}
