/** Where the time of a turn goes, as the history of a workflow tells: waiting for a worker, working, deciding. */
import type { Client } from "@temporalio/client";
import { spread, type Spread } from "./statistics.ts";

export interface Breakdown {
  /** By activity: from scheduled to started, and from started to completed; milliseconds. */
  activities: Record<string, { dispatchMs: Spread; workMs: Spread }>;
  /** From the completion of an activity to the workflow's next decision. */
  decisionMs: Spread;
}

interface Event {
  eventId: number;
  ms: number;
  type: string;
  activity?: string;
  scheduledEventId?: number;
}

export async function breakdownOf(client: Client, workflowId: string): Promise<Breakdown> {
  const events = await eventsOf(client, workflowId);
  const byId = new Map(events.map((event) => [event.eventId, event]));
  const seen = new Map<string, { dispatch: number[]; work: number[] }>();
  const decisions: number[] = [];
  let completedMs: number | null = null;
  for (const event of events) {
    if (event.type === "completed") completedMs = event.ms;
    if (event.type === "decided" && completedMs !== null) {
      decisions.push(event.ms - completedMs);
      completedMs = null;
    }
    if (event.type !== "completed") continue;
    const scheduled = byId.get(event.scheduledEventId!)!;
    const started = events.find((other) => other.type === "started" && other.scheduledEventId === scheduled.eventId)!;
    const { dispatch, work } = seen.get(scheduled.activity!) ?? { dispatch: [], work: [] };
    dispatch.push(started.ms - scheduled.ms);
    work.push(event.ms - started.ms);
    seen.set(scheduled.activity!, { dispatch, work });
  }
  const activities = [...seen].map(
    ([name, { dispatch, work }]) => [name, { dispatchMs: spread(dispatch), workMs: spread(work) }] as const,
  );
  return { activities: Object.fromEntries(activities), decisionMs: spread(decisions) };
}

async function eventsOf(client: Client, workflowId: string): Promise<Event[]> {
  const { events = [] } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap((event): Event[] => {
    const base = {
      eventId: Number(event.eventId),
      ms: Number(event.eventTime?.seconds ?? 0) * 1000 + (event.eventTime?.nanos ?? 0) / 1e6,
    };
    if (event.activityTaskScheduledEventAttributes) {
      return [
        { ...base, type: "scheduled", activity: event.activityTaskScheduledEventAttributes.activityType?.name ?? "" },
      ];
    }
    if (event.activityTaskStartedEventAttributes) {
      return [
        {
          ...base,
          type: "started",
          scheduledEventId: Number(event.activityTaskStartedEventAttributes.scheduledEventId),
        },
      ];
    }
    if (event.activityTaskCompletedEventAttributes) {
      return [
        {
          ...base,
          type: "completed",
          scheduledEventId: Number(event.activityTaskCompletedEventAttributes.scheduledEventId),
        },
      ];
    }
    return event.workflowTaskCompletedEventAttributes ? [{ ...base, type: "decided" }] : [];
  });
}
