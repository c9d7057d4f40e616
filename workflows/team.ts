/** The agents of a run: each round is a child workflow, and what one role has said and cost goes on in its next. */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  startChild,
} from "@temporalio/workflow";
import type { Base, BriefRef, Said } from "../activities/contract.ts";
import { agentWorkflowId, homeName, type Role } from "../domain/ids.ts";
import {
  type AgentProgress,
  type AgentReport,
  type AgentResult,
  budgetSignal,
  type CarriedRound,
  type RunAgentInput,
  nothingYet,
  pauseAgentSignal,
  restAgentSignal,
  resumeAgentSignal,
} from "./agent-messages.ts";
import type { CarriedRun, Chapter } from "./carried-run.ts";
import type { Opening } from "./fork.ts";
import { WORKFLOW_TASK_TIMEOUT } from "./messages.ts";
import type { runAgent } from "./run-agent.ts";
import type { Run } from "./run.ts";

/** How a round of an agent begins: where its last one ended, in the same conversation with a new working tree, or all afresh. */
export type AgentRound = "goes-on" | "new-tree" | "afresh";

/** How an agent's work ended, for the story. */
export type Answer = Exclude<AgentResult, { kind: "rested" }>;

type Handle = ReturnType<typeof getExternalWorkflowHandle>;

export class Team {
  readonly #run: Run;
  readonly #progress: Map<Role, AgentProgress>;
  readonly #rounds: Map<Role, number>;
  readonly #calls = new Map<Role, number>();
  #active: { workflowId: string; role: Role } | null = null;
  /** How the next round of a role begins, where that is in the middle: of a fork, or after a rest. */
  #opening: CarriedRun["opening"];

  constructor(run: Run, carried: CarriedRun | undefined) {
    this.#run = run;
    this.#progress = new Map(carried?.progress);
    this.#rounds = new Map(carried?.rounds);
    for (const [role, { modelCalls }] of this.#progress) this.#calls.set(role, modelCalls);
    this.#opening = carried?.opening ?? null;
  }

  carried(): Pick<CarriedRun, "progress" | "rounds" | "opening"> {
    return { progress: [...this.#progress], rounds: [...this.#rounds], opening: this.#opening ?? null };
  }

  /** The agent that may be taking a turn right now. */
  get atWork(): { workflowId: string; role: Role } | null {
    return this.#active;
  }

  /** Turns that it has taken in its conversation so far. */
  turnsOf(role: Role): number {
    return this.#progress.get(role)?.turn ?? 0;
  }

  /** A fork begins with an agent in the middle of its work. */
  openWith(role: Role, progress: AgentProgress, opening: Opening): void {
    this.#progress.set(role, progress);
    this.#opening = { role, opening };
    this.#account(role, progress, "running");
  }

  /**
   * Lets an agent work until it answers. A later round goes on in the same conversation. When the history of the run gets long
   * meanwhile, the agent comes to rest after its turn, and both go on with new ones, in `chapter`; null: it is over soon.
   */
  async work(
    role: Role,
    brief: BriefRef,
    base: Pick<Base, "commit">,
    how: AgentRound,
    chapter: (() => Chapter) | null,
  ): Promise<Answer> {
    for (;;) {
      await this.#whilePaused(chapter);
      const result = await this.#round(role, brief, base, how, chapter !== null);
      if (result.kind !== "rested") return result;
      this.#opening = { role, opening: { kind: "round", carried: result.carried } };
      await this.#run.turnPage(chapter!());
    }
  }

  async #whilePaused(chapter: (() => Chapter) | null): Promise<void> {
    while (this.#run.paused) {
      await condition(() => !this.#run.paused || (chapter !== null && this.#run.historyIsLong()));
      if (chapter !== null && this.#run.paused) await this.#run.turnPage(chapter());
    }
  }

  async #round(
    role: Role,
    brief: BriefRef,
    base: Pick<Base, "commit">,
    how: AgentRound,
    mayRest: boolean,
  ): Promise<AgentResult> {
    const { status, settings, home, sandboxes, ref } = this.#run;
    const round = (this.#rounds.get(role) ?? 0) + 1;
    this.#rounds.set(role, round);
    const workflowId = agentWorkflowId(status.id, role, round);
    const opening = this.#takeOpening(role);
    const known = startOf(opening?.kind === "round" ? "goes-on" : how, this.#progress.get(role));
    // Other agents may have moved since it worked last.
    const from = known ? { ...known, home: home.queue } : null;
    const { budgetUsd } = status;
    if (opening?.kind === "answered" && from) {
      const { text, data } = opening;
      this.#account(role, from, "done");
      return { kind: "answered", text, data, progress: from };
    }
    const carried = opening && opening.kind !== "answered" && from ? roundOf(opening, from) : null;
    if (role !== "classifier") sandboxes.add(role);
    this.#account(role, from ?? nothingYet, "running");
    const watching = new CancellationScope();
    let resting: CarriedRound | null = null;
    try {
      const child = await startChild<typeof runAgent>("runAgent", {
        workflowId,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        args: [
          {
            run: ref,
            role,
            round,
            brief,
            base,
            limits: limitsOf(settings),
            home: home.queue,
            // What a round has cost before its rest is not the others'.
            spentUsd: status.costUsd - (carried && from ? from.costUsd - carried.before.costUsd : 0),
            budgetUsd,
            from,
            ...(carried ? { carried } : {}),
          },
        ],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${role}, round ${round}`,
      });
      this.#active = { workflowId, role };
      // What was said while it was being started.
      if (this.#run.paused) await this.pause();
      if (status.budgetUsd !== budgetUsd) await this.raiseBudget(status.budgetUsd);
      if (mayRest) this.#restWhenLong(watching);
      const result = await child.result();
      this.#progress.set(role, result.progress);
      if (role !== "classifier") this.#settle(result.progress.home, null);
      this.#account(role, result.progress, STATES[result.kind]);
      if (result.kind === "rested") resting = result.carried;
      return result;
    } finally {
      watching.cancel();
      this.#active = null;
      // What it waits for it waits for again, after its rest.
      this.#run.waits.ofAgent(resting?.waitingFor ?? null);
    }
  }

  #restWhenLong(watching: CancellationScope): void {
    watching
      .run(async () => {
        await condition(() => this.#run.historyIsLong());
        await this.#tell((agent) => agent.signal(restAgentSignal));
      })
      // It answered before, or the run was ended.
      .catch(() => undefined);
  }

  #takeOpening(role: Role): Opening | null {
    if (this.#opening?.role !== role) return null;
    const { opening } = this.#opening;
    this.#opening = null;
    return opening;
  }

  hear(report: AgentReport): void {
    if (report.workflowId !== this.#active?.workflowId) return;
    this.#account(report.role, report.progress, "running");
    this.#settle(report.progress.home, report.moved);
    this.#run.waits.ofAgent(report.waitingFor);
  }

  async pause(): Promise<void> {
    await this.#tell((agent) => agent.signal(pauseAgentSignal));
  }

  async resume(): Promise<void> {
    await this.#tell((agent) => agent.signal(resumeAgentSignal));
  }

  async raiseBudget(usd: number): Promise<void> {
    await this.#tell((agent) => agent.signal(budgetSignal, usd));
  }

  async #tell(tell: (agent: Handle) => Promise<void>): Promise<void> {
    if (this.#active === null) return;
    try {
      await tell(getExternalWorkflowHandle(this.#active.workflowId));
    } catch (error) {
      // It ended in the meantime: there is nobody left to tell.
      log.info("agent could not be told", { agent: this.#active?.workflowId, reason: String(error) });
    }
  }

  #account(role: Role, progress: AgentProgress, state: "running" | "done" | "failed"): void {
    const { status } = this.#run;
    const known = status.agents.find((agent) => agent.role === role);
    const agent = known ?? { role, turns: 0, costUsd: 0, state };
    if (!known) status.agents.push(agent);
    agent.turns = progress.turns;
    agent.costUsd = progress.costUsd;
    agent.state = state;
    this.#calls.set(role, progress.modelCalls);
    status.turns = sum(status.agents.map((each) => each.turns));
    status.costUsd = sum(status.agents.map((each) => each.costUsd));
    status.modelCalls = sum([...this.#calls.values()]);
    this.#run.describe();
  }

  /** Where the sandboxes are now. An agent that opened none yet says nothing. */
  #settle(queue: string | null, moved: string | null): void {
    const { home, status } = this.#run;
    if (queue === null || queue === home.queue) return;
    home.queue = queue;
    const { hosts } = status;
    const name = homeName(queue);
    if (hosts.at(-1)?.home === name) return;
    const why = hosts.length === 0 ? "it had room for the run" : (moved ?? "the worker before was lost");
    hosts.push({ home: name, since: new Date().toISOString(), why });
    // Who moves this often has another problem; the newest tell most.
    if (hosts.length > 20) hosts.shift();
    this.#run.changed();
  }
}

const STATES = { answered: "done", "gave-up": "failed", rested: "running" } as const;

function limitsOf({ limits: { turns, minutes, tokens } }: Run["settings"]): RunAgentInput["limits"] {
  return { turns, minutes, tokens };
}

/** A round that goes on in the middle; that of a fork says something else than the brief first. */
function roundOf(opening: Exclude<Opening, { kind: "answered" }>, from: AgentProgress): CarriedRound {
  // Whether it is paused the run knows best.
  if (opening.kind === "round") return { ...opening.carried, paused: false };
  return roundBeginningWith(opening.said, from);
}

function roundBeginningWith(pending: Said, { turns, costUsd, tokens = 0 }: AgentProgress): CarriedRound {
  return { startedAt: Date.now(), before: { turns, costUsd, tokens }, nudges: 0, paused: false, idleMs: 0, pending };
}

/** Where a round begins; what the role has cost so far counts in each case. */
function startOf(how: AgentRound, progress: AgentProgress | undefined): AgentProgress | undefined {
  if (progress === undefined || how === "goes-on") return progress;
  return { ...progress, checkpoint: null, ...(how === "afresh" && { previous: null }) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
