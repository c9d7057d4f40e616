/** The state of one run: its status document, its waiting, the agents it starts. The story is in `resolve-issue.ts`. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  uuid4,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { Activities, Base, BriefRef, Change, Ground, RunRef, Said } from "../activities/contract.ts";
import { agentWorkflowId, homeName, type Role } from "../domain/ids.ts";
import { isEnded, type Outcome, type Phase, type RunStatus, type WaitingFor } from "../domain/run.ts";
import {
  type AgentProgress,
  type AgentReport,
  type AgentResult,
  budgetSignal,
  type CarriedRound,
  nothingYet,
  pauseAgentSignal,
  resumeAgentSignal,
} from "./agent-messages.ts";
import type { CarriedRun, Chapter, Wish } from "./carried-run.ts";
import type { Opening } from "./fork.ts";
import { firstStatus } from "./first-status.ts";
import { Home } from "./home.ts";
import { listen } from "./inbox.ts";
import { Landmarks } from "./landmarks.ts";
import { type ForkSource, type ResolveIssueInput, WORKFLOW_TASK_TIMEOUT } from "./messages.ts";
import { noNotes, type RunNotes } from "./run-notes.ts";
import { type Parking, reasonOf, untilDone } from "./parked.ts";
import type { resolveIssue } from "./resolve-issue.ts";
import type { runAgent } from "./run-agent.ts";
import { searchAttributesOf } from "./search-attributes.ts";

/** How the run was ended from outside, while the story was being told. */
export type Interruption =
  | { kind: "declined"; reason: string }
  | { kind: "cancelled"; reason: string }
  | { kind: "merged"; sha: string };

/** How a round of an agent begins: where its last one ended, in the same conversation with a new working tree, or all afresh. */
export type AgentRound = "goes-on" | "new-tree" | "afresh";

export class Run {
  readonly input: ResolveIssueInput;
  readonly ref: RunRef;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly scope = new CancellationScope();
  /** Where the sandboxes live; also tests run there. */
  readonly home: Home;
  ground: Ground | null = null;
  base: Base | null = null;
  change: Change | null = null;
  interruption: Interruption | null = null;
  /** How the last verification was judged, in a sentence. */
  verification = "";
  /** Set when Temporal itself cancelled the run: thrown again at the end, so that it shows as cancelled. */
  cancellation: Error | null = null;
  /** Commits that this run has pushed: news of them is no news. */
  readonly pushed: Set<string>;
  /** Set at the merge, which no interruption undoes. */
  mergedAs: string | null = null;
  /** What people said that was heard: see `inbox.ts`. */
  readonly heard: Set<string>;
  /** Purposes of the sandboxes that may be open. */
  readonly sandboxes: Set<string>;
  /** Bumped by each event about checks, so that whoever waits looks again. */
  checksNews = 0;
  /** What a fork of this run needs to know. */
  readonly landmarks: Landmarks;
  /** What is remembered of it at its end. */
  readonly notes: RunNotes;
  /** The id of the progress comment, once it is there. */
  progressComment: number | null;

  readonly #wishes: Wish[];
  readonly #progress: Map<Role, AgentProgress>;
  readonly #rounds: Map<Role, number>;
  readonly #calls = new Map<Role, number>();
  /** All that is waited for now; the status shows the newest. */
  readonly #waits: WaitingFor[] = [];
  #lastWait: Pick<WaitingFor, "kind" | "since"> | null;
  /** What was waited for when the run was paused, and since when: it goes on with resume. */
  #waitBeforePause: Pick<WaitingFor, "kind" | "since"> | null;
  #agentWait: WaitingFor | null = null;
  #pauseWait: WaitingFor | null = null;
  #activeAgent: { workflowId: string; role: Role } | null = null;
  #planApprovedBy: string | null = null;
  #phaseBeforePause: Phase | null = null;
  #resumed = 0;
  #ending = false;
  #onChange: () => void = () => undefined;
  #rest: () => Promise<void> = async () => undefined;
  readonly #beside = new Set<Promise<unknown>>();
  /** Set for a fork until the agent that it goes on from is at work. */
  #opening: { role: Role; opening: Opening } | null = null;

  constructor(input: ResolveIssueInput) {
    const { workflowId, startTime } = workflowInfo();
    const { carried } = input;
    this.input = input;
    this.startedAt = carried?.startedAt ?? startTime.toISOString();
    const runKey = carried?.runKey ?? uuid4();
    this.ref = { runKey, id: workflowId, repository: input.repository, issue: input.issue };
    this.status = carried?.status ?? firstStatus(workflowId, input, this.startedAt);
    this.ground = carried?.ground ?? null;
    this.base = carried?.base ?? null;
    this.change = carried?.change ?? null;
    this.verification = carried?.verification ?? "";
    this.notes = carried?.notes ?? noNotes();
    this.pushed = new Set(carried?.pushed);
    this.sandboxes = new Set(carried?.sandboxes);
    this.heard = new Set(carried?.heard);
    this.home = new Home(carried?.home ?? null, () => undefined);
    this.progressComment = carried?.progressComment ?? null;
    this.#wishes = [...(carried?.wishes ?? [])];
    this.#progress = new Map(carried?.progress);
    this.#rounds = new Map(carried?.rounds);
    for (const [role, { modelCalls }] of this.#progress) this.#calls.set(role, modelCalls);
    this.#lastWait = carried?.lastWait ?? null;
    this.#waitBeforePause = carried?.waitBeforePause ?? null;
    this.#planApprovedBy = carried?.planApprovedBy ?? null;
    this.#phaseBeforePause = carried?.phaseBeforePause ?? null;
    if (this.#phaseBeforePause !== null) this.#pauseWait = pauseWait(this.status.waitingFor?.since);
    this.landmarks = new Landmarks(input);
    listen(this);
    upsertSearchAttributes(searchAttributesOf(this.status));
  }

  get settings(): ResolveIssueInput["settings"] {
    return this.input.settings;
  }

  /** A fork leaves the issue to the run that it came from, unless that one has ended. */
  get closesIssue(): boolean {
    return this.settings.close_on_success && (this.input.fork?.closesIssue ?? true);
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

  /** All that a fork of this run needs to know. */
  forkSource(): ForkSource {
    const { settings, base, status, landmarks } = this;
    const { classification, plan, trees } = landmarks;
    const turns = Object.fromEntries(status.agents.map((agent) => [agent.role, agent.turns]));
    return { runKey: this.ref.runKey, settings, base, classification, plan, trees, turns, atWork: this.#activeAgent };
  }

  /** What the first step of a run is told. */
  firstStep(): Parameters<Activities["openRun"]>[0] {
    const { firstExecutionRunId } = workflowInfo();
    const { snapshot, settings } = this.input;
    return { run: this.ref, snapshot, settings, firstRunId: firstExecutionRunId };
  }

  /** True when this history should end at the next chapter: then {@link turnPage}. */
  historyIsLong(): boolean {
    return workflowInfo().continueAsNewSuggested && this.interruption === null;
  }

  /** Goes on with a new history when this one is long. Only where nothing is under way. */
  async turnPage(chapter: Chapter): Promise<void> {
    if (!this.historyIsLong()) return;
    await this.#rest();
    await condition(() => allHandlersFinished() && this.#beside.size === 0);
    if (this.interruption !== null) return;
    // Waits of this history are shown again by the next one.
    const carried: CarriedRun = {
      chapter,
      runKey: this.ref.runKey,
      startedAt: this.startedAt,
      status: this.status,
      ground: this.ground!,
      base: this.base!,
      change: this.change,
      verification: this.verification,
      notes: this.notes,
      pushed: [...this.pushed],
      sandboxes: [...this.sandboxes],
      heard: [...this.heard],
      home: this.home.queue,
      wishes: this.#wishes,
      progress: [...this.#progress],
      rounds: [...this.#rounds],
      trees: this.landmarks.trees,
      lastWait: this.#lastWait,
      waitBeforePause: this.#waitBeforePause,
      planApprovedBy: this.#planApprovedBy,
      phaseBeforePause: this.#phaseBeforePause,
      progressComment: this.progressComment,
    };
    log.info("the history is long: the run goes on with a new one", { chapter: chapter.kind });
    await continueAsNew<typeof resolveIssue>({ ...this.input, carried });
  }

  /** What is written beside the story comes to rest before a new history begins. */
  onRest(rest: () => Promise<void>): void {
    this.#rest = rest;
  }

  /** Starts something that is nice to have: its failure is told in the log and stops nothing. */
  beside(work: Promise<unknown>): void {
    const done = work
      .catch((error: unknown) => {
        if (!isCancellation(error)) log.warn("not done, and not needed to go on", { reason: reasonOf(error) });
      })
      .finally(() => this.#beside.delete(done));
    this.#beside.add(done);
  }

  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  enter(phase: Phase): void {
    if (this.status.phase === "paused" && !isEnded(phase)) {
      if (this.#phaseBeforePause !== phase) this.#waitBeforePause = null;
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

  get paused(): boolean {
    return this.#phaseBeforePause !== null;
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

  /** How long this has been waited for in the present phase, in milliseconds. */
  waitedMs(kind: WaitingFor["kind"]): number {
    return this.#lastWait?.kind === kind ? Date.now() - Date.parse(this.#lastWait.since) : 0;
  }

  /** Waits for people, or for things outside, with the reason in the status. A time limit makes it answer false. */
  async waitFor(wait: Omit<WaitingFor, "since">, until: () => boolean, timeoutMs?: number): Promise<boolean> {
    if (until()) return true;
    // Looking up in between does not make a wait younger.
    const since = this.#lastWait?.kind === wait.kind ? this.#lastWait.since : new Date().toISOString();
    const mine = { ...wait, since };
    this.#lastWait = { kind: wait.kind, since };
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
  async agent(
    role: Role,
    brief: BriefRef,
    base: Pick<Base, "commit">,
    how: AgentRound = "goes-on",
  ): Promise<AgentResult> {
    await this.whilePaused();
    const round = (this.#rounds.get(role) ?? 0) + 1;
    this.#rounds.set(role, round);
    const workflowId = agentWorkflowId(this.status.id, role, round);
    const known = startOf(how, this.#progress.get(role));
    // Other agents may have moved since it worked last.
    const from = known ? { ...known, home: this.home.queue } : null;
    const { budgetUsd } = this.status;
    const opening = this.#takeOpening(role);
    if (opening?.kind === "answered" && from) {
      const { text, data } = opening;
      this.#account(role, from, "done");
      return { kind: "answered", text, data, progress: from };
    }
    if (role !== "classifier") this.sandboxes.add(role);
    this.#account(role, from ?? nothingYet, "running");
    try {
      const child = await startChild<typeof runAgent>("runAgent", {
        workflowId,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
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
            ...(opening?.kind === "say" && from ? { carried: roundBeginningWith(opening.said, from) } : {}),
          },
        ],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${role}, round ${round}`,
      });
      this.#activeAgent = { workflowId, role };
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

  #takeOpening(role: Role): Opening | null {
    if (this.#opening?.role !== role) return null;
    const { opening } = this.#opening;
    this.#opening = null;
    return opening;
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
    this.#lastWait = null;
    this.status.phases.push({ phase, at: new Date().toISOString() });
    // Each round of review adds a few; the newest tell most.
    if (this.status.phases.length > 200) this.status.phases.splice(1, 1);
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
    this.#waitBeforePause = this.#lastWait;
    this.#pauseWait = pauseWait();
    this.#setPhase("paused");
    this.#showWait();
    await this.#tellAgent((agent) => agent.signal(pauseAgentSignal));
    return null;
  }

  async resume(): Promise<string | null> {
    this.#resumed += 1;
    const before = this.#phaseBeforePause;
    if (before !== null) {
      const pausedAt = this.#pauseWait!.since;
      this.#phaseBeforePause = null;
      this.#pauseWait = null;
      this.#setPhase(before);
      this.#lastWait = this.#waitBeforePause && withoutPause(this.#waitBeforePause, pausedAt);
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
    if (report.workflowId !== this.#activeAgent?.workflowId) return;
    this.#account(report.role, report.progress, "running");
    this.#settle(report.progress.home, report.moved);
    if (this.#agentWait?.since === report.waitingFor?.since) return;
    this.#agentWait = report.waitingFor;
    this.#showWait();
  }

  async #tellAgent(tell: (agent: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>): Promise<void> {
    if (this.#activeAgent === null) return;
    try {
      await tell(getExternalWorkflowHandle(this.#activeAgent.workflowId));
    } catch (error) {
      // It ended in the meantime: there is nobody left to tell.
      log.info("agent could not be told", { agent: this.#activeAgent?.workflowId, reason: String(error) });
    }
  }
}

function pauseWait(since: string = new Date().toISOString()): WaitingFor {
  return { kind: "resume", since, detail: "The run is paused. Send resume." };
}

/** A wait that went on after a pause is younger by it. */
function withoutPause<T extends Pick<WaitingFor, "since">>(wait: T, pausedAt: string): T {
  const pausedMs = Date.now() - Date.parse(pausedAt);
  return { ...wait, since: new Date(Date.parse(wait.since) + pausedMs).toISOString() };
}

/** A round that goes on in the middle: its first turn says this instead of the brief. */
function roundBeginningWith(pending: Said, { turns, costUsd }: AgentProgress): CarriedRound {
  return { startedAt: Date.now(), before: { turns, costUsd }, nudges: 0, paused: false, idleMs: 0, pending };
}

/** Where a round begins; what the role has cost so far counts in each case. */
function startOf(how: AgentRound, progress: AgentProgress | undefined): AgentProgress | undefined {
  if (progress === undefined || how === "goes-on") return progress;
  return { ...progress, checkpoint: null, ...(how === "afresh" && { previous: null }) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
