/** How long a run stood still after a kill, read from its histories. */
import type { temporal } from "@temporalio/proto";
import type { Cluster } from "./cluster.ts";
import type { CrashRun } from "./run.ts";

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

interface Step {
  at: number;
  identity: string;
  /** null: a workflow task. */
  activity: string | null;
}

/** Milliseconds from the kill of `pid` to the next step that another process took; null when there was none. */
export async function standstillMs(
  cluster: Cluster,
  run: CrashRun,
  kill: { at: number; pid: number },
): Promise<number | null> {
  return firstAfter(await stepsOf(cluster, run), kill.at, ({ identity }) => !identity.startsWith(`${kill.pid}@`));
}

/** Milliseconds from the kill to the moment when another worker took up the step that was broken off. */
export async function retakenMs(
  cluster: Cluster,
  run: CrashRun,
  kill: { at: number; pid: number; activity: string },
): Promise<number | null> {
  const fits = ({ activity, identity }: Step): boolean =>
    activity === kill.activity && !identity.startsWith(`${kill.pid}@`);
  return firstAfter(await stepsOf(cluster, run), kill.at, fits);
}

function firstAfter(steps: readonly Step[], at: number, fits: (step: Step) => boolean): number | null {
  const times = steps.filter((step) => step.at > at && fits(step)).map((step) => step.at - at);
  return times.length === 0 ? null : Math.min(...times);
}

/** Of the run's own history and those of its agents. */
export async function largestEventBytes(cluster: Cluster, run: CrashRun): Promise<number> {
  const events = (await historiesOf(cluster, run)).flat();
  return Math.max(...events.map((event) => JSON.stringify(event).length));
}

async function historiesOf({ client }: Cluster, run: CrashRun): Promise<HistoryEvent[][]> {
  const events = async (workflowId: string): Promise<HistoryEvent[]> =>
    (await client.workflow.getHandle(workflowId).fetchHistory()).events ?? [];
  const story = await events(run.workflowId);
  const agents = story.flatMap(
    (event) => event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? [],
  );
  return [story, ...(await Promise.all(agents.map(events)))];
}

async function stepsOf(cluster: Cluster, run: CrashRun): Promise<Step[]> {
  return (await historiesOf(cluster, run)).flatMap((history) => {
    const activities = new Map(
      history.map((event) => [
        String(event.eventId),
        event.activityTaskScheduledEventAttributes?.activityType?.name ?? null,
      ]),
    );
    return history.flatMap((event) => {
      const activity = event.activityTaskStartedEventAttributes;
      const started = activity ?? event.workflowTaskStartedEventAttributes;
      if (!started) return [];
      const { seconds, nanos } = event.eventTime!;
      return [
        {
          at: Number(seconds) * 1_000 + Math.round((nanos ?? 0) / 1_000_000),
          identity: started.identity ?? "",
          activity: activities.get(String(activity?.scheduledEventId)) ?? null,
        },
      ];
    });
  });
}

/** `{median, p95}` of some times, in milliseconds. */
export function spread(times: readonly number[]): { count: number; median: number; p95: number; max: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, median: at(0.5), p95: at(0.95), max: at(1) };
}
