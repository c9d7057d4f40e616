/** One agent at work: Claude is asked, its tools run in the sandbox, and again, until it answers or a limit is reached. */
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { Said, TakeTurnInput, Turn, UnsavedReply, WorkspaceRef } from "../activities/contract.ts";
import { REPLY_NOT_STORED } from "../domain/patience.ts";
import type { WaitingFor } from "../domain/run.ts";
import { headOf } from "../domain/text.ts";
import { takeTurn } from "./activities.ts";
import {
  type AgentProgress,
  agentReportSignal,
  type AgentResult,
  budgetSignal,
  type CarriedRound,
  nothingYet,
  pauseAgentSignal,
  restAgentSignal,
  resumeAgentSignal,
  type RunAgentInput,
} from "./agent-messages.ts";
import { Circles } from "./circles.ts";
import { historyIsLong } from "./history.ts";
import { anywhere, Home } from "./home.ts";
import { agentProgressQuery } from "./messages.ts";
import { type Parking, untilDone } from "./parked.ts";

/** Claude may answer in a wrong form, or be cut off, this often in a row before the agent gives up. */
const MAX_NUDGES = 3;
/** The run hears how its agent is doing at most this often, so that reports do not swell its history. */
const REPORT_EVERY_MS = 10_000;

export async function runAgent(input: RunAgentInput): Promise<AgentResult> {
  const agent = new Agent(input);
  let said: Said = input.carried?.pending ?? { kind: "brief", brief: input.brief };

  for (;;) {
    const limit = agent.limitReached();
    if (limit) return agent.gaveUp(limit);

    const reply = (await agent.mayGoOn()) ? await agent.ask(said) : null;
    if (reply !== null) {
      const next = agent.next(reply);
      if (next.kind === "ended") return next.result;
      said = next.said;
    }

    if (agent.isToRest) return agent.rested(said);
    if (historyIsLong()) await agent.continueAsNew(said);
  }
}

class Agent {
  readonly #input: RunAgentInput;
  readonly #progress: AgentProgress;
  /** Where this round began: earlier rounds of the conversation do not count against its limits. */
  readonly #before: CarriedRound["before"];
  #nudges: number;
  readonly #circles: Circles;
  #budgetUsd: number;
  #paused: boolean;
  /** How long it was worked on: waiting in line, for people or for services that are away does not count. */
  #workedMs: number;
  /** Time spent waiting in sight. */
  #idleMs = 0;
  #resumed = 0;
  #failures: number;
  #waitingFor: WaitingFor | null;
  /** Its run has asked it to come to rest. */
  #rest = false;
  /** A reply that is paid for and stored nowhere would be lost with this history. */
  #holdsReply = false;
  readonly #home: Home;
  #moved: string | null = null;
  #reportedAt: number;

  constructor(input: RunAgentInput) {
    this.#input = input;
    this.#progress = input.from ? { ...input.from } : { ...nothingYet };
    this.#home = new Home(input.from?.home ?? input.home, ({ why }) => {
      this.#moved = why;
      this.#progress.home = null;
    });
    this.#reportedAt = Date.now();
    const { turns, costUsd, tokens = 0 } = this.#progress;
    this.#before = input.carried?.before ?? { turns, costUsd, tokens };
    this.#nudges = input.carried?.nudges ?? 0;
    this.#circles = new Circles(input.carried);
    this.#paused = input.carried?.paused ?? false;
    this.#workedMs = input.carried ? workedBefore(input.carried) : 0;
    this.#waitingFor = input.carried?.waitingFor ?? null;
    this.#failures = input.carried?.failures ?? 0;
    this.#budgetUsd = input.budgetUsd;
    setHandler(restAgentSignal, () => void (this.#rest = true));
    setHandler(agentProgressQuery, () => this.#progress);
    setHandler(pauseAgentSignal, () => void (this.#paused = true));
    setHandler(resumeAgentSignal, () => {
      this.#paused = false;
      this.#resumed += 1;
    });
    setHandler(budgetSignal, (usd) => void (this.#budgetUsd = usd));
  }

  /** The limit that ends this round, in words, or null. */
  limitReached(): string | null {
    const { turns, minutes, tokens = 0 } = this.#input.limits;
    if (this.#progress.turns - this.#before.turns >= turns)
      return `limits.turns: ${turns} turns were taken without an answer`;
    if (this.#workedMs >= minutes * 60_000) return `limits.minutes: ${minutes} minutes of work brought no answer`;
    const used = (this.#progress.tokens ?? 0) - (this.#before.tokens ?? 0);
    if (tokens > 0 && used >= tokens) return `limits.tokens: ${used} tokens were used without an answer`;
    if (this.#nudges > MAX_NUDGES) return `Claude did not give a usable answer in ${MAX_NUDGES} attempts in a row`;
    return null;
  }

  get isToRest(): boolean {
    return this.#rest;
  }

  /** Waits while a person has paused the run, or its budget is spent. False: this history is to end before that is over. */
  async mayGoOn(): Promise<boolean> {
    for (;;) {
      if (this.#paused && !(await this.#idleUntil(() => !this.#paused))) return false;
      if (!this.#overBudget()) {
        if (this.#waitingFor?.kind === "budget") await this.#nothingMore();
        return true;
      }
      const spent = this.#spentUsd().toFixed(2);
      const raised = await this.#waitFor(
        {
          kind: "budget",
          detail: `$${spent} of $${this.#budgetUsd.toFixed(2)} are spent. Send raiseBudget {by, usd}, or reject.`,
        },
        () => !this.#overBudget(),
      );
      if (!raised) return false;
      // Paused meanwhile, it rests on: money is no word to go on.
      if (!this.#paused || !patched("paused-while-it-waits-for-money")) return true;
    }
  }

  /** null: this history is to end, and the same is to be said in the next. */
  async ask(said: Said): Promise<Turn | null> {
    const { role, base } = this.#input;
    const { turn, previous } = this.#progress;
    setCurrentDetails(`${role}, turn ${turn + 1}, $${this.#progress.costUsd.toFixed(4)}`);
    const input: TakeTurnInput = {
      role,
      conversation: role,
      turn,
      previous,
      said,
      workspace: this.#workspace(),
      reviewOf: role === "reviewer" ? base.commit : null,
    };
    const summary = summaryOf(role, turn + 1, said);
    const askedAt = Date.now() - this.#idleMs;
    const reply = await this.#untilDone(async () => {
      try {
        // Data is answered by Claude alone: such a turn needs no sandbox, and runs anywhere.
        return await (role === "classifier"
          ? anywhere(() => takeTurn.executeWithOptions({ summary }, [input]))
          : this.#home.run((place) => takeTurn.executeWithOptions({ summary, ...place }, [input])));
      } catch (error) {
        input.unsaved = unsavedIn(error) ?? input.unsaved;
        this.#holdsReply = input.unsaved !== undefined;
        throw error;
      }
    });
    if (reply === null) return null;
    this.#holdsReply = false;
    const settled = role !== "classifier" && this.#progress.home !== reply.home;
    if (settled) this.#home.queue = this.#progress.home = reply.home;
    // Turns of older versions do not tell: what was not waited in sight counts.
    this.#workedMs += reply.workedMs ?? Date.now() - this.#idleMs - askedAt;
    this.#progress.previous = reply.key;
    this.#progress.checkpoint = reply.checkpoint;
    this.#progress.turn += 1;
    this.#progress.turns += 1;
    this.#progress.modelCalls += 1;
    this.#progress.costUsd += reply.costUsd;
    this.#progress.tokens = (this.#progress.tokens ?? 0) + reply.inputTokens + reply.outputTokens;
    this.#circles.remember(said, reply);
    await this.#report(settled);
    return reply;
  }

  /** What comes after a reply: something to say, or the end. */
  next(reply: Turn): { kind: "said"; said: Said } | { kind: "ended"; result: AgentResult } {
    const { calls } = reply;
    switch (reply.stopReason) {
      case "tool_use":
        this.#nudges = 0;
        return this.#useTools(calls);
      case "pause_turn":
        this.#nudges += 1;
        return { kind: "said", said: { kind: "continue" } };
      case "refusal":
        return { kind: "ended", result: this.gaveUp("Claude declined to work on this (stop reason refusal)") };
      case "model_context_window_exceeded":
        return {
          kind: "ended",
          result: this.gaveUp("the conversation no longer fits into the model's context window"),
        };
      case "max_tokens":
        this.#nudges += 1;
        return { kind: "said", said: { kind: "cut-off", calls } };
      default:
        return this.#finish(reply);
    }
  }

  #useTools(calls: Turn["calls"]): { kind: "said"; said: Said } | { kind: "ended"; result: AgentResult } {
    const verdict = this.#circles.verdict(this.#progress.turns);
    if (verdict?.kind === "give-up") return { kind: "ended", result: this.gaveUp(verdict.reason) };
    return { kind: "said", said: { kind: "results", calls, ...(verdict && { note: verdict.note }) } };
  }

  #finish({ answer, calls }: Turn): { kind: "said"; said: Said } | { kind: "ended"; result: AgentResult } {
    if (calls.length > 0) return this.#useTools(calls);
    if (answer === null || answer.kind === "invalid") {
      this.#nudges += 1;
      const text = answer?.problem ?? "Your reply was empty. Go on with the work, or answer.";
      return { kind: "said", said: { kind: "text", text } };
    }
    const text = answer.kind === "text" ? answer.text : null;
    const data = answer.kind === "data" ? answer.value : null;
    return { kind: "ended", result: { kind: "answered", text, data, progress: this.#progress } };
  }

  gaveUp(reason: string): AgentResult {
    return { kind: "gave-up", reason, progress: this.#progress };
  }

  #workspace(): WorkspaceRef {
    const { run, role, base } = this.#input;
    return {
      run,
      purpose: role,
      commit: base.commit,
      checkpoint: this.#progress.checkpoint,
    };
  }

  async #untilDone<T>(step: () => Promise<T>): Promise<T | null> {
    try {
      const park = async ({ waitMs, ...wait }: Parking): Promise<void> => {
        this.#failures += 1;
        const resumed = this.#resumed;
        const over =
          (await this.#waitFor(wait, () => this.#resumed > resumed, waitMs)) &&
          (!this.#paused || (await this.#idleUntil(() => !this.#paused)));
        if (!over) throw new BrokenOff();
      };
      const done = await untilDone(step, park, this.#failures);
      this.#failures = 0;
      // What was waited for in the history before is over.
      if (this.#waitingFor !== null) await this.#nothingMore();
      return done;
    } catch (error) {
      if (error instanceof BrokenOff) return null;
      throw error;
    }
  }

  /** False: it is broken off, and goes on in the next history with the same clock. */
  async #waitFor(
    wait: Omit<WaitingFor, "since">,
    until: () => boolean,
    timeoutMs: number | null = null,
  ): Promise<boolean> {
    const since = this.#waitingFor?.kind === wait.kind ? this.#waitingFor.since : new Date().toISOString();
    this.#waitingFor = { ...wait, since };
    await this.#report(true);
    if (!(await this.#idleUntil(until, timeoutMs))) return false;
    await this.#nothingMore();
    return true;
  }

  async #nothingMore(): Promise<void> {
    this.#waitingFor = null;
    await this.#report(true);
  }

  /** False: it is broken off. */
  async #idleUntil(until: () => boolean, timeoutMs: number | null = null): Promise<boolean> {
    const since = Date.now();
    const either = (): boolean => until() || this.#breaksOff();
    await (timeoutMs === null ? condition(either) : condition(either, timeoutMs));
    this.#idleMs += Date.now() - since;
    return until() || !this.#breaksOff();
  }

  #breaksOff(): boolean {
    return !this.#holdsReply && (this.#rest || historyIsLong());
  }

  async #report(now: boolean): Promise<void> {
    const { parent, workflowId } = workflowInfo();
    if (!parent || (!now && Date.now() - this.#reportedAt < REPORT_EVERY_MS)) return;
    this.#reportedAt = Date.now();
    await getExternalWorkflowHandle(parent.workflowId).signal(agentReportSignal, {
      workflowId,
      role: this.#input.role,
      progress: { ...this.#progress },
      waitingFor: this.#waitingFor,
      moved: this.#moved,
    });
  }

  /** The round goes on in the next history of its run. */
  rested(pending: Said): AgentResult {
    return { kind: "rested", carried: this.#carried(pending), progress: this.#progress };
  }

  async continueAsNew(pending: Said): Promise<void> {
    await condition(allHandlersFinished);
    const carried = this.#carried(pending);
    await continueAsNew<typeof runAgent>({
      ...this.#input,
      from: this.#progress,
      budgetUsd: this.#budgetUsd,
      carried,
    });
  }

  #carried(pending: Said): CarriedRound {
    return {
      startedAt: Date.now() - this.#workedMs,
      before: this.#before,
      nudges: this.#nudges,
      paused: this.#paused,
      idleMs: 0,
      workedMs: this.#workedMs,
      pending,
      ...this.#circles.carried,
      waitingFor: this.#waitingFor,
      failures: this.#failures,
    };
  }

  #spentUsd(): number {
    return this.#input.spentUsd + this.#progress.costUsd - this.#before.costUsd;
  }

  #overBudget(): boolean {
    return this.#spentUsd() >= this.#budgetUsd;
  }
}

/** Of a wait: this history is to end. */
class BrokenOff extends Error {}

function workedBefore({ workedMs, startedAt, idleMs }: CarriedRound): number {
  return workedMs ?? Date.now() - startedAt - idleMs;
}

function unsavedIn(error: unknown): UnsavedReply | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : null;
  if (!(cause instanceof ApplicationFailure) || cause.type !== REPLY_NOT_STORED) return undefined;
  return (cause.details?.[0] as { unsaved?: UnsavedReply } | undefined)?.unsaved;
}

/** One line for the timeline of the Web UI: what the turn begins with. */
function summaryOf(role: string, turn: number, said: Said): string {
  const begins = said.kind === "results" ? said.calls.map((call) => call.summary).join("; ") : said.kind;
  return headOf(`${role} turn ${turn}: ${begins}`, 190);
}
