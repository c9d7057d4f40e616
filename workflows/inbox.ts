/** What reaches a run: messages of people, events of GitHub, reports of its agents. What is not obeyed is on record. */
import type { UpdateDefinition } from "@temporalio/common";
import {
  ApplicationFailure,
  CancellationScope,
  log,
  patched,
  setHandler,
  type SignalDefinition,
} from "@temporalio/workflow";
import { refuseApproval, refuseAuthority } from "../domain/approval.ts";
import type { IssueEvent, SlashCommand } from "../domain/events.ts";
import { judgeIssueChange } from "../domain/issue-change.ts";
import { isEnded, type Phase } from "../domain/run.ts";
import { checkPermission, lookAtPullRequest, readNews, teach } from "./activities.ts";
import { agentReportSignal } from "./agent-messages.ts";
import {
  forkSourceQuery,
  githubEventSignal,
  githubEventUpdate,
  MESSAGE_NAMES,
  type MessageName,
  type Messages,
  type Receipt,
  signals,
  statusQuery,
  updates,
} from "./messages.ts";
import { reasonOf } from "./parked.ts";
import { isAgentReport, parseIssueEvent } from "./parse-event.ts";
import { parseMessage } from "./parse-message.ts";
import type { Run } from "./run.ts";

/** Returns how to ask GitHub what was missed; see {@link Inbox.catchUp}. */
export function listen(run: Run): () => Promise<boolean> {
  const inbox = new Inbox(run);
  setHandler(statusQuery, () => run.status);
  setHandler(forkSourceQuery, () => run.forkSource());
  setHandler(agentReportSignal, (report: unknown) => {
    if (isAgentReport(report)) run.team.hear(report);
    else run.refuse("agentReport", null, "It is not the report of an agent.");
  });
  setHandler(githubEventSignal as SignalDefinition<[unknown]>, async (payload: unknown) => {
    await inbox.hear(payload);
  });
  setHandler(githubEventUpdate as UpdateDefinition<Receipt, [unknown]>, async (payload: unknown): Promise<Receipt> => {
    const reason = await inbox.hear(payload);
    if (reason === null) return { accepted: true };
    throw ApplicationFailure.nonRetryable(reason, "Refused");
  });
  for (const name of MESSAGE_NAMES) {
    setHandler(signals[name] as SignalDefinition<[unknown]>, async (payload: unknown) => {
      await inbox.receive(name, payload, name);
    });
    setHandler(updates[name] as UpdateDefinition<Receipt, [unknown]>, async (payload: unknown): Promise<Receipt> => {
      const reason = await inbox.receive(name, payload, name);
      if (reason === null) return { accepted: true };
      throw ApplicationFailure.nonRetryable(reason, "Refused");
    });
  }
  return () => inbox.catchUp();
}

/** What the sender could see when the message arrived: an approval is of that, not of what comes while GitHub is asked. */
interface Seen {
  phase: Phase;
  headSha: string | null;
}

interface Refused {
  by: string | null;
  reason: string;
}

class Inbox {
  readonly #run: Run;
  /** What people said that was heard: a webhook may bring it twice, and whoever looks again finds it again. */
  readonly #heardBefore: Set<string>;
  #last: Promise<unknown> = Promise.resolve();
  /** How often it could not be found out whether somebody may be obeyed. */
  #unchecked = 0;

  constructor(run: Run) {
    this.#run = run;
    this.#heardBefore = run.heard;
  }

  /**
   * Obeys a message, or records under `label` why not and tells the reason. In the order of arrival. `unheard` is called when nobody
   * could tell whether the sender may be obeyed.
   */
  receive<Name extends MessageName>(
    name: Name,
    payload: unknown,
    label: string,
    unheard: () => void = () => undefined,
  ): Promise<string | null> {
    const { phase, pullRequest } = this.#run.status;
    const seen = { phase, headSha: pullRequest?.headSha ?? null };
    return this.#inTurn(async () => {
      const refused = await this.#take(name, payload, seen).catch((error: unknown): Refused => {
        unheard();
        return { by: null, reason: `It could not be checked: ${reasonOf(error)}` };
      });
      if (refused) this.#run.refuse(label, refused.by, refused.reason);
      return refused?.reason ?? null;
    });
  }

  /** An event of GitHub, as our intake sends it; anybody with the Temporal CLI may send something else. */
  async hear(payload: unknown): Promise<string | null> {
    const event = parseIssueEvent(payload);
    if (event === null) {
      const reason = "It is not an event of GitHub in the form that the webhook receiver makes of it.";
      this.#run.refuse("githubEvent", null, reason);
      return reason;
    }
    if (isEnded(this.#run.status.phase)) return null;
    const key = saying(event);
    if (key !== null && this.#heardBefore.has(key)) return null;
    if (key !== null) this.#heardBefore.add(key);
    await this.#react(event, () => {
      this.#unchecked += 1;
      // What could not be checked is heard anew when GitHub tells it again.
      if (key !== null && patched("unchecked-is-heard-again")) this.#heardBefore.delete(key);
    });
    return null;
  }

  /** Hears what was missed, and waits until all that was said is decided on. False: some of that could not be found out. */
  async catchUp(): Promise<boolean> {
    const before = this.#unchecked;
    const read = await this.#lookAgain();
    await this.#inTurn(async () => undefined);
    return read && this.#unchecked === before;
  }

  /** Webhooks may have been missed: what GitHub tells now is heard as if they had come. False: it could not be read. */
  async #lookAgain(): Promise<boolean> {
    this.#run.checksNews += 1;
    const { ref, status, input } = this.#run;
    const pullRequest = status.pullRequest?.number ?? null;
    try {
      const news = await CancellationScope.nonCancellable(() =>
        readNews({ run: ref, pullRequest, since: input.trigger.at }),
      );
      for (const event of news) await this.hear(event);
      return true;
    } catch (error) {
      log.warn("what was missed could not be read", { reason: reasonOf(error) });
      return false;
    }
  }

  async #react(event: IssueEvent, unheard: () => void): Promise<void> {
    switch (event.kind) {
      case "command":
        return this.#command(event, unheard);
      case "review":
        return this.#review(event, unheard);
      case "head-pushed":
        return this.#headPushed(event.sha, event.by);
      case "pull-request-closed":
        return this.#pullRequestClosed(event);
      case "checks-changed":
        this.#run.checksNews += 1;
        return;
      case "pull-request-reopened":
        return;
      case "issue-changed":
        return this.#issueChanged(event);
      case "look-again":
        await this.#lookAgain();
    }
  }

  /** Each message asks GitHub, which takes its time: without an order a later one could overtake an earlier. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    // What a person said is heard to its end, also while the run is being cancelled.
    const mine = this.#last.then(() => CancellationScope.nonCancellable(work));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Work for a message or event. A handler that fails would end the whole run: its failure is on record instead. */
  async #heard(
    label: string,
    by: string | null,
    work: () => Promise<void>,
    unheard: () => void = () => undefined,
  ): Promise<void> {
    try {
      await this.#inTurn(work);
    } catch (error) {
      unheard();
      this.#run.refuse(label, by, reasonOf(error));
    }
  }

  async #take<Name extends MessageName>(name: Name, payload: unknown, seen: Seen): Promise<Refused | null> {
    const parsed = parseMessage(name, payload);
    if (!parsed.ok) return parsed;
    const message = parsed.value;
    const by = message.by ?? null;
    const { phase } = this.#run.status;
    if (isEnded(phase)) return { by, reason: `The run has ended (${phase}).` };
    const refusal = by === null ? null : await this.#refuseSender(name, by, message, seen);
    const reason = refusal ?? (await this.#obey[name](message, seen));
    return reason === null ? null : { by, reason };
  }

  async #refuseSender(
    name: MessageName,
    by: string,
    message: Messages[MessageName],
    seen: Seen,
  ): Promise<string | null> {
    const permission = await checkPermission({ run: this.#run.ref, login: by });
    if (name !== "approveMerge") return refuseAuthority(by, permission);
    return refuseApproval({ ...seen, sha: (message as Messages["approveMerge"]).sha ?? null, by, permission });
  }

  readonly #obey: {
    [Name in MessageName]: (message: Messages[Name], seen: Seen) => string | null | Promise<string | null>;
  } = {
    approveMerge: ({ by }, { headSha }) => {
      if (headSha === null || headSha !== this.#run.status.pullRequest?.headSha) {
        return "The head of the pull request has moved. Look at the new head and approve that.";
      }
      this.#run.addWish({ kind: "approved", by, sha: headSha });
      return null;
    },
    approvePlan: ({ by }) => {
      const { phase } = this.#run.status;
      if (phase !== "awaiting-plan-approval")
        return `The run is not waiting for the approval of a plan (phase ${phase}).`;
      this.#run.approvePlan(by);
      return null;
    },
    requestChanges: ({ by, text }) => {
      const { phase, pullRequest } = this.#run.status;
      if (pullRequest === null) return `There is no pull request to change yet (phase ${phase}).`;
      this.#run.addWish({ kind: "changes-requested", by, text });
      return null;
    },
    reject: ({ by, reason }) => {
      this.#run.interrupt({ kind: "declined", reason: `rejected by @${by}: ${reason}` });
      return null;
    },
    answer: () => "The run has not asked a question.",
    pause: () => this.#run.pause(),
    resume: () => this.#run.resume(),
    raiseBudget: ({ usd }) => this.#run.raiseBudget(usd),
  };

  async #command({ command, by, at, commentId }: IssueEvent & { kind: "command" }, unheard: () => void): Promise<void> {
    if (command.verb === "run") return;
    if (command.verb === "cancel") return this.#cancel(by, unheard);
    // Usually the intake has seen to it; who looks again finds the comment, too, and the same words are the same memory.
    if (command.verb === "remember") return this.#teach({ text: command.text, by, at, commentId }, unheard);
    const { name, payload } = toMessage(command, by);
    await this.receive(name, payload, `/mergewright ${command.verb}`, unheard);
  }

  #cancel(by: string, unheard: () => void): Promise<void> {
    const cancel = async (): Promise<void> => {
      const refusal = refuseAuthority(by, await checkPermission({ run: this.#run.ref, login: by }));
      if (refusal) this.#run.refuse("/mergewright cancel", by, refusal);
      else this.#run.interrupt({ kind: "cancelled", reason: `cancelled by @${by}` });
    };
    return this.#heard("/mergewright cancel", by, cancel, unheard);
  }

  #teach(
    { by, ...said }: { text: string; by: string; at: string; commentId: number },
    unheard: () => void,
  ): Promise<void> {
    const { repository, issue } = this.#run.ref;
    const teaching = async (): Promise<void> => {
      const refusal = refuseAuthority(by, await checkPermission({ run: this.#run.ref, login: by }));
      if (refusal) this.#run.refuse("/mergewright remember", by, refusal);
      else await teach({ repository, issue, by, ...said });
    };
    return this.#heard("/mergewright remember", by, teaching, unheard);
  }

  async #review({ state, by, sha, text }: IssueEvent & { kind: "review" }, unheard: () => void): Promise<void> {
    switch (state) {
      case "approved":
        await this.receive("approveMerge", { by, sha }, "review: approve", unheard);
        return;
      case "changes-requested": {
        const asked = text.trim() || "Changes were requested without a text; see the review on the pull request.";
        await this.receive("requestChanges", { by, text: asked }, "review: request changes", unheard);
        return;
      }
      case "dismissed":
        await this.#inTurn(async () => this.#run.withdrawApproval(by, sha));
    }
  }

  /** News may be late or out of order: what counts is the head that GitHub tells when it is asked. */
  #headPushed(sha: string, by: string | null): Promise<void> {
    return this.#heard("push", by, async () => {
      const known = this.#run.status.pullRequest;
      if (!known || this.#run.pushed.has(sha) || sha === known.headSha) return;
      const { headSha } = await lookAtPullRequest({ run: this.#run.ref, number: known.number });
      const now = this.#run.status.pullRequest;
      if (now === null || headSha === now.headSha || this.#run.pushed.has(headSha)) return;
      this.#run.setHead({ ...now, headSha });
      this.#run.refuse("push", by, `The branch was moved to ${headSha} by somebody else: earlier approvals are void.`);
    });
  }

  #pullRequestClosed({ pullRequest, merged, mergeSha, by }: IssueEvent & { kind: "pull-request-closed" }): void {
    const { phase, pullRequest: ours } = this.#run.status;
    if (pullRequest !== ours?.number) return;
    // Whoever merges it looks himself how it went.
    if (phase === "merging") return void (this.#run.checksNews += 1);
    if (merged && mergeSha) this.#run.interrupt({ kind: "merged", sha: mergeSha });
    else this.#run.interrupt({ kind: "declined", reason: `the pull request was closed${by ? ` by @${by}` : ""}` });
  }

  async #issueChanged({ change, by, at }: IssueEvent & { kind: "issue-changed" }): Promise<void> {
    // News from before the trigger is of an earlier life of the issue.
    const stale = Date.parse(at) < Date.parse(this.#run.input.trigger.at);
    if (stale || this.#run.status.phase === "merging") return;
    const verdict = judgeIssueChange(change, by, this.#run.settings);
    if (verdict.kind === "ignore") {
      if (verdict.notice !== null) this.#run.notice(`issue ${change}`, verdict.notice);
      return;
    }
    await this.#heard(`issue ${change}`, by, async () => {
      // A person's merge closes the issue, too, and the news of the closing may come first.
      const { pullRequest } = this.#run.status;
      const merged = change === "closed" && pullRequest ? await this.#mergedAs(pullRequest.number) : null;
      if (merged) this.#run.interrupt({ kind: "merged", sha: merged });
      else this.#run.interrupt({ kind: "cancelled", reason: verdict.reason });
    });
  }

  async #mergedAs(number: number): Promise<string | null> {
    const { merged, mergeSha } = await lookAtPullRequest({ run: this.#run.ref, number });
    return merged ? mergeSha : null;
  }
}

/** What makes two pieces of news the same saying of a person; null: a fact, which may be heard as often as it comes. */
function saying(event: IssueEvent): string | null {
  switch (event.kind) {
    case "command":
      return `comment ${event.commentId}`;
    case "review":
      // Taking an approval back must never be overheard, and does nothing the second time.
      if (event.state === "dismissed") return null;
      return ["review", event.by, event.sha, event.state, event.at].join(" ");
    default:
      return null;
  }
}

type Command = Exclude<SlashCommand, { verb: "run" } | { verb: "cancel" } | { verb: "remember" }>;

function toMessage(command: Command, by: string): { name: MessageName; payload: unknown } {
  switch (command.verb) {
    case "approve":
      return { name: "approveMerge", payload: { by } };
    case "approve-plan":
      return { name: "approvePlan", payload: { by } };
    case "revise":
      return { name: "requestChanges", payload: { by, text: command.text } };
    case "reject":
      return { name: "reject", payload: { by, reason: command.text } };
    case "answer":
      return { name: "answer", payload: { by, text: command.text } };
    case "budget":
      return { name: "raiseBudget", payload: { by, usd: command.usd } };
    case "pause":
    case "resume":
      return { name: command.verb, payload: { by } };
  }
}
