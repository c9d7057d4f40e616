/** The state of one run: its status document, its waiting, the agents it starts. The story is in `resolve-issue.ts`. */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  uuid4,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { Base, BriefRef, Change, Ground, RunRef } from "../activities/contract.ts";
import { agentWorkflowId, homeName, type Role } from "../domain/ids.ts";
import { isEnded, type Outcome, type Phase, type RunStatus, type WaitingFor } from "../domain/run.ts";
import {
  type AgentProgress,
  type AgentReport,
  type AgentResult,
  budgetSignal,
  pauseAgentSignal,
  resumeAgentSignal,
} from "./agent-messages.ts";
import { Home } from "./home.ts";
import { listen } from "./inbox.ts";
import type { ResolveIssueInput } from "./messages.ts";
import { type Parking, untilDone } from "./parked.ts";
import type { runAgent } from "./run-agent.ts";
import { searchAttributesOf } from "./search-attributes.ts";

/** How the run was ended from outside, while the story was being told. */
export type Interruption =
  | { kind: "declined"; reason: string }
  | { kind: "cancelled"; reason: string }
  | { kind: "merged"; sha: string };

/** What a person asked of the change that awaits approval. */
export type Wish =
  | { kind: "approved"; by: string; sha: string }
  | { kind: "changes-requested"; by: string; text: string };

export class Run {
  readonly input: ResolveIssueInput;
  readonly ref: RunRef;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly scope = new CancellationScope();
  /** Where the sandboxes live; also tests run there. */
  readonly home = new Home(null, () => undefined);
  ground: Ground | null = null;
  base: Base | null = null;
  change: Change | null = null;
  interruption: Interruption | null = null;
  /** How the last verification was judged, in a sentence. */
  verification = "";
  /** Set when Temporal itself cancelled the run: thrown again at the end, so that it shows as cancelled. */
  cancellation: Error | null = null;
  /** Commits that this run has pushed: news of them is no news. */
  readonly pushed = new Set<string>();
  /** Set at the merge, which no interruption undoes. */
  mergedAs: string | null = null;
  /** Purposes of the sandboxes that may be open. */
  readonly sandboxes = new Set<string>();
  /** Bumped by each event about checks, so that whoever waits looks again. */
  checksNews = 0;

  readonly #wishes: Wish[] = [];
  readonly #progress = new Map<Role, AgentProgress>();
  readonly #rounds = new Map<Role, number>();
  readonly #calls = new Map<Role, number>();
  /** All that is waited for now; the status shows the newest. */
  readonly #waits: WaitingFor[] = [];
  #agentWait: WaitingFor | null = null;
  #pauseWait: WaitingFor | null = null;
  #activeAgent: string | null = null;
  #planApprovedBy: string | null = null;
  #phaseBeforePause: Phase | null = null;
  #resumed = 0;
  #ending = false;
  #onChange: () => void = () => undefined;

  constructor(input: ResolveIssueInput) {
    const { workflowId, startTime } = workflowInfo();
    this.input = input;
    this.startedAt = startTime.toISOString();
    this.ref = { runKey: uuid4(), id: workflowId, repository: input.repository, issue: input.issue };
    this.status = firstStatus(workflowId, input, this.startedAt);
    listen(this);
    upsertSearchAttributes(searchAttributesOf(this.status));
  }

  get settings(): ResolveIssueInput["settings"] {
    return this.input.settings;
  }

  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  enter(phase: Phase): void {
    if (this.status.phase === "paused" && !isEnded(phase)) {
      this.#phaseBeforePause = phase;
      return;
    }
    if (this.status.phase === phase) return;
    this.#setPhase(phase);
  }

  /** Runs a step until it succeeds; meanwhile the status says what is waited for. Between attempts a paused run rests. */
  async step<T>(step: () => Promise<T>): Promise<T> {
    return untilDone(
      async () => {
        await this.whilePaused();
        return step();
      },
      (parking) => this.park(parking),
    );
  }

  /** Waits until somebody resumes the run, or the time has come at which it goes on by itself. */
  async park({ waitMs, ...wait }: Parking): Promise<void> {
    const resumed = this.#resumed;
    await this.waitFor(wait, () => this.#resumed > resumed, waitMs ?? undefined);
  }

  waitForOperator(detail: string): Promise<void> {
    return this.park({ kind: "operator", detail, waitMs: null });
  }

  async whilePaused(): Promise<void> {
    if (this.#phaseBeforePause !== null) await condition(() => this.#phaseBeforePause === null);
  }

  /** Starts a step that the story needs only later. Its failure surfaces where it is awaited, not before. */
  inBackground<T>(step: () => Promise<T>): Promise<T> {
    const result = this.step(step);
    result.catch(() => undefined);
    return result;
  }

  /** The end: no phase comes after it, whether the run is paused or not. */
  end(outcome: Outcome): void {
    this.#phaseBeforePause = null;
    this.#pauseWait = null;
    this.status.outcome = outcome;
    this.status.waitingFor = null;
    this.#setPhase(outcome.kind);
  }

  /** Waits for people, or for things outside, with the reason in the status. A time limit makes it answer false. */
  async waitFor(wait: Omit<WaitingFor, "since">, until: () => boolean, timeoutMs?: number): Promise<boolean> {
    if (until()) return true;
    const mine = { ...wait, since: new Date().toISOString() };
    this.#waits.push(mine);
    this.#showWait();
    try {
      if (timeoutMs !== undefined) return await condition(until, timeoutMs);
      await condition(until);
      return true;
    } finally {
      this.#waits.splice(this.#waits.indexOf(mine), 1);
      this.#showWait();
    }
  }

  /** Starts one round of an agent as a child workflow. A later round goes on in the same conversation. */
  async agent(role: Role, brief: BriefRef, base: Pick<Base, "commit">, fresh = false): Promise<AgentResult> {
    await this.whilePaused();
    const round = (this.#rounds.get(role) ?? 0) + 1;
    this.#rounds.set(role, round);
    const workflowId = agentWorkflowId(this.status.id, role, round);
    const known = fresh ? startOver(this.#progress.get(role)) : this.#progress.get(role);
    // Other agents may have moved since it worked last.
    const from = known ? { ...known, home: this.home.queue } : null;
    const { budgetUsd } = this.status;
    if (role !== "classifier") this.sandboxes.add(role);
    this.#account(role, from ?? nothingYet, "running");
    try {
      const child = await startChild<typeof runAgent>("runAgent", {
        workflowId,
        args: [
          {
            run: this.ref,
            role,
            round,
            brief,
            base,
            limits: { turns: this.settings.limits.turns, minutes: this.settings.limits.minutes },
            home: this.home.queue,
            spentUsd: this.status.costUsd,
            budgetUsd,
            from,
          },
        ],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${role}, round ${round}`,
      });
      this.#activeAgent = workflowId;
      // What was said while it was being started.
      if (this.#phaseBeforePause !== null) await this.#tellAgent((agent) => agent.signal(pauseAgentSignal));
      if (this.status.budgetUsd !== budgetUsd)
        await this.#tellAgent((agent) => agent.signal(budgetSignal, this.status.budgetUsd));
      const result = await child.result();
      this.#progress.set(role, result.progress);
      if (role !== "classifier") this.#settle(result.progress.home, null);
      this.#account(role, result.progress, result.kind === "answered" ? "done" : "failed");
      return result;
    } finally {
      this.#activeAgent = null;
      this.#agentWait = null;
      this.#showWait();
    }
  }

  /** The next thing that a person asked of the change, if any. */
  takeWish(): Wish | null {
    return this.#wishes.shift() ?? null;
  }

  hasWish(): boolean {
    return this.#wishes.length > 0;
  }

  planApprovedBy(): string | null {
    return this.#planApprovedBy;
  }

  /** A new head voids every approval of an older one. */
  setHead(pullRequest: { number: number; url: string; headSha: string }): void {
    const { number, url, headSha } = pullRequest;
    this.status.pullRequest = { number, url, headSha };
    const approvals = this.#wishes.filter((wish) => wish.kind === "approved" && wish.sha !== headSha);
    for (const approval of approvals) this.#wishes.splice(this.#wishes.indexOf(approval), 1);
    this.changed();
  }

  refuse(message: string, by: string | null, reason: string): void {
    this.status.refused.push({ message, by, reason, at: new Date().toISOString() });
    // A flood of refused messages must not swell the status; the newest tell most.
    if (this.status.refused.length > 50) this.status.refused.shift();
    log.warn("message refused", { message, by, reason });
    this.changed();
  }

  /** Something that people should know and that stops nothing; what was said of it before is replaced. */
  notice(about: string, text: string): void {
    const others = this.status.notices.filter((each) => each.about !== about);
    this.status.notices = [...others, { about, text, at: new Date().toISOString() }];
    this.changed();
  }

  changed(): void {
    this.#describe();
    this.#onChange();
  }

  #setPhase(phase: Phase): void {
    this.status.phase = phase;
    this.status.phases.push({ phase, at: new Date().toISOString() });
    log.info("phase", { phase });
    upsertSearchAttributes(searchAttributesOf(this.status));
    this.changed();
  }

  /** A pause is what a person must know first, then what an agent waits for. */
  #showWait(): void {
    const shown = this.#pauseWait ?? this.#agentWait ?? this.#waits.at(-1) ?? null;
    const { waitingFor } = this.status;
    if (shown?.kind === waitingFor?.kind && shown?.detail === waitingFor?.detail) return;
    this.status.waitingFor = shown;
    this.changed();
  }

  #describe(): void {
    const { phase, waitingFor, pullRequest, costUsd } = this.status;
    const lines = [`**${phase}**${waitingFor?.detail ? `: ${waitingFor.detail}` : ""}`, `Cost: $${costUsd.toFixed(4)}`];
    if (pullRequest) lines.push(`Pull request: ${pullRequest.url}`);
    setCurrentDetails(lines.join("\n\n"));
  }

  #account(role: Role, progress: AgentProgress, state: "running" | "done" | "failed"): void {
    const known = this.status.agents.find((agent) => agent.role === role);
    const agent = known ?? { role, turns: 0, costUsd: 0, state };
    if (!known) this.status.agents.push(agent);
    agent.turns = progress.turns;
    agent.costUsd = progress.costUsd;
    agent.state = state;
    this.#calls.set(role, progress.modelCalls);
    this.status.turns = sum(this.status.agents.map((each) => each.turns));
    this.status.costUsd = sum(this.status.agents.map((each) => each.costUsd));
    this.status.modelCalls = sum([...this.#calls.values()]);
    this.#describe();
  }

  /** Where the sandboxes are now. An agent that opened none yet says nothing. */
  #settle(queue: string | null, moved: string | null): void {
    if (queue === null || queue === this.home.queue) return;
    this.home.queue = queue;
    const { hosts } = this.status;
    const home = homeName(queue);
    if (hosts.at(-1)?.home === home) return;
    const why = hosts.length === 0 ? "it had room for the run" : (moved ?? "the worker before was lost");
    hosts.push({ home, since: new Date().toISOString(), why });
    // Who moves this often has another problem; the newest tell most.
    if (hosts.length > 20) hosts.shift();
    this.changed();
  }

  /** From here on the ending is decided: news of what we close ourselves changes nothing. */
  beginEnding(): void {
    this.#ending = true;
  }

  // What people and GitHub bring about; `inbox.ts` decides what is obeyed.

  /** Ends the story from outside. The first interruption counts. */
  interrupt(interruption: Interruption): void {
    if (this.interruption || this.#ending || isEnded(this.status.phase)) return;
    this.interruption = interruption;
    this.scope.cancel();
  }

  addWish(wish: Wish): void {
    this.#wishes.push(wish);
  }

  withdrawApproval(by: string, sha: string): void {
    const index = this.#wishes.findIndex((wish) => wish.kind === "approved" && wish.by === by && wish.sha === sha);
    if (index >= 0) this.#wishes.splice(index, 1);
  }

  approvePlan(by: string): void {
    this.#planApprovedBy = by;
  }

  /** Each of these tells why not, or null. */
  async pause(): Promise<string | null> {
    if (this.#phaseBeforePause !== null) return "The run is paused already.";
    this.#phaseBeforePause = this.status.phase;
    this.#pauseWait = { kind: "resume", since: new Date().toISOString(), detail: "The run is paused. Send resume." };
    this.#setPhase("paused");
    this.#showWait();
    await this.#tellAgent((agent) => agent.signal(pauseAgentSignal));
    return null;
  }

  async resume(): Promise<string | null> {
    this.#resumed += 1;
    const before = this.#phaseBeforePause;
    if (before !== null) {
      this.#phaseBeforePause = null;
      this.#pauseWait = null;
      this.#setPhase(before);
      this.#showWait();
    } else if (this.status.waitingFor === null) return "The run is neither paused nor waiting for an operator.";
    await this.#tellAgent((agent) => agent.signal(resumeAgentSignal));
    return null;
  }

  async raiseBudget(usd: number): Promise<string | null> {
    const { costUsd } = this.status;
    if (usd <= costUsd) return `$${usd} is not more than the $${costUsd.toFixed(2)} that are already spent.`;
    this.status.budgetUsd = usd;
    this.changed();
    await this.#tellAgent((agent) => agent.signal(budgetSignal, usd));
    return null;
  }

  hear(report: AgentReport): void {
    if (report.workflowId !== this.#activeAgent) return;
    this.#account(report.role, report.progress, "running");
    this.#settle(report.progress.home, report.moved);
    if (this.#agentWait?.since === report.waitingFor?.since) return;
    this.#agentWait = report.waitingFor;
    this.#showWait();
  }

  async #tellAgent(tell: (agent: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>): Promise<void> {
    if (this.#activeAgent === null) return;
    try {
      await tell(getExternalWorkflowHandle(this.#activeAgent));
    } catch (error) {
      // It ended in the meantime: there is nobody left to tell.
      log.info("agent could not be told", { agent: this.#activeAgent, reason: String(error) });
    }
  }
}

const nothingYet: AgentProgress = {
  previous: null,
  turn: 0,
  checkpoint: null,
  home: null,
  turns: 0,
  modelCalls: 0,
  costUsd: 0,
};

/** A new conversation of the same role; what it has cost so far still counts. */
function startOver(progress: AgentProgress | undefined): AgentProgress | undefined {
  return progress && { ...progress, previous: null, checkpoint: null };
}

function firstStatus(id: string, input: ResolveIssueInput, at: string): RunStatus {
  return {
    id,
    repository: input.repository,
    issue: input.issue,
    title: input.snapshot?.title ?? "",
    phase: "received",
    phases: [{ phase: "received", at }],
    category: null,
    plan: null,
    pullRequest: null,
    turns: 0,
    modelCalls: 0,
    costUsd: 0,
    budgetUsd: input.settings.limits.budget_usd,
    waitingFor: null,
    agents: [],
    hosts: [],
    evidence: { failsOnBase: null, passesOnBranch: null, command: null, outputs: [] },
    refused: [],
    notices: [],
    outcome: null,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
