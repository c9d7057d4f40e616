/** The state of one run: its status document, its phases, what people asked of it. Its waits and its agents have files of their own. The story is in `resolve-issue.ts`. */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setCurrentDetails,
  uuid4,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type { Activities, Base, Change, Ground, RunRef } from "../activities/contract.ts";
import { isEnded, type Outcome, type Phase, type RunStatus, type WaitingFor } from "../domain/run.ts";
import type { CarriedRun, Chapter, Wish } from "./carried-run.ts";
import { firstStatus } from "./first-status.ts";
import { historyIsLong } from "./history.ts";
import { Home } from "./home.ts";
import { listen } from "./inbox.ts";
import { Landmarks } from "./landmarks.ts";
import type { ForkSource, ResolveIssueInput } from "./messages.ts";
import { noNotes, type RunNotes } from "./run-notes.ts";
import { type Parking, reasonOf, untilDone } from "./parked.ts";
import type { resolveIssue } from "./resolve-issue.ts";
import { searchAttributesOf } from "./search-attributes.ts";
import { Team } from "./team.ts";
import { Waits } from "./waits.ts";

/** How the run was ended from outside, while the story was being told. */
export type Interruption =
  | { kind: "declined"; reason: string }
  | { kind: "cancelled"; reason: string }
  | { kind: "merged"; sha: string };

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

  /** What it waits for, and since when. */
  readonly waits: Waits;
  /** Its agents. */
  readonly team: Team;

  readonly #wishes: Wish[];
  #planApprovedBy: string | null = null;
  #phaseBeforePause: Phase | null = null;
  #resumed = 0;
  #ending = false;
  #onChange: () => void = () => undefined;
  #rest: () => Promise<void> = async () => undefined;
  /** Hears what GitHub has to tell that was missed. False: some of it could not be found out. */
  readonly catchUp: () => Promise<boolean>;
  readonly #beside = new Set<Promise<unknown>>();

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
    this.#planApprovedBy = carried?.planApprovedBy ?? null;
    this.#phaseBeforePause = carried?.phaseBeforePause ?? null;
    const paused = this.#phaseBeforePause === null ? null : (this.status.waitingFor?.since ?? this.startedAt);
    this.waits = new Waits(carried ?? null, paused, waitOfAgent(carried), (wait) => this.#showWait(wait));
    this.team = new Team(this, carried);
    this.landmarks = new Landmarks(input);
    this.catchUp = listen(this);
    upsertSearchAttributes(searchAttributesOf(this.status));
  }

  get settings(): ResolveIssueInput["settings"] {
    return this.input.settings;
  }

  /** A fork leaves the issue to the run that it came from, unless that one has ended. */
  get closesIssue(): boolean {
    return this.settings.close_on_success && (this.input.fork?.closesIssue ?? true);
  }

  /** All that a fork of this run needs to know. */
  forkSource(): ForkSource {
    const { settings, base, status, landmarks } = this;
    const { classification, plan, trees } = landmarks;
    const turns = Object.fromEntries(status.agents.map((agent) => [agent.role, agent.turns]));
    return { runKey: this.ref.runKey, settings, base, classification, plan, trees, turns, atWork: this.team.atWork };
  }

  /** What the first step of a run is told. */
  firstStep(): Parameters<Activities["openRun"]>[0] {
    const { firstExecutionRunId } = workflowInfo();
    const { snapshot, settings } = this.input;
    return { run: this.ref, snapshot, settings, firstRunId: firstExecutionRunId };
  }

  /** True when this history should end at the next chapter: then {@link turnPage}. */
  historyIsLong(): boolean {
    return historyIsLong() && this.interruption === null;
  }

  /** Goes on with a new history when this one is long. Only where nothing is under way, and in a chapter that begins with what is under way. */
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
      ...this.team.carried(),
      trees: this.landmarks.trees,
      ...this.waits.carried(),
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
      if (this.#phaseBeforePause !== phase) this.waits.newPhaseBeforePause();
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
    this.waits.end();
    this.status.outcome = outcome;
    this.status.waitingFor = null;
    this.#setPhase(outcome.kind);
  }

  /** Waits for people, or for things outside, with the reason in the status. A time limit makes it answer false. */
  async waitFor(wait: Omit<WaitingFor, "since">, until: () => boolean, timeoutMs?: number): Promise<boolean> {
    if (until()) return true;
    return this.waits.during(wait, async () => {
      if (timeoutMs !== undefined) return condition(until, timeoutMs);
      await condition(until);
      return true;
    });
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
    this.describe();
    this.#onChange();
  }

  #setPhase(phase: Phase): void {
    this.status.phase = phase;
    this.waits.newPhase();
    this.status.phases.push({ phase, at: new Date().toISOString() });
    // Each round of review adds a few; the newest tell most.
    if (this.status.phases.length > 200) this.status.phases.splice(1, 1);
    log.info("phase", { phase });
    upsertSearchAttributes(searchAttributesOf(this.status));
    this.changed();
  }

  #showWait(shown: WaitingFor | null): void {
    const { waitingFor } = this.status;
    if (shown?.kind === waitingFor?.kind && shown?.detail === waitingFor?.detail) return;
    this.status.waitingFor = shown;
    this.changed();
  }

  /** What the Web UI shows of it. */
  describe(): void {
    const { phase, waitingFor, pullRequest, costUsd } = this.status;
    const lines = [`**${phase}**${waitingFor?.detail ? `: ${waitingFor.detail}` : ""}`, `Cost: $${costUsd.toFixed(4)}`];
    if (pullRequest) lines.push(`Pull request: ${pullRequest.url}`);
    setCurrentDetails(lines.join("\n\n"));
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
    this.waits.pause();
    this.#setPhase("paused");
    this.waits.show();
    await this.team.pause();
    return null;
  }

  async resume(): Promise<string | null> {
    this.#resumed += 1;
    const before = this.#phaseBeforePause;
    if (before !== null) {
      this.#phaseBeforePause = null;
      this.#setPhase(before);
      this.waits.resume();
    } else if (this.status.waitingFor === null) return "The run is neither paused nor waiting for an operator.";
    await this.team.resume();
    return null;
  }

  async raiseBudget(usd: number): Promise<string | null> {
    const { costUsd } = this.status;
    if (usd <= costUsd) return `$${usd} is not more than the $${costUsd.toFixed(2)} that are already spent.`;
    this.status.budgetUsd = usd;
    this.changed();
    await this.team.raiseBudget(usd);
    return null;
  }
}

/** An agent that rests with the old history waits on with the new one. */
function waitOfAgent(carried: CarriedRun | undefined): WaitingFor | null {
  const opening = carried?.opening?.opening;
  return opening?.kind === "round" ? (opening.carried.waitingFor ?? null) : null;
}
