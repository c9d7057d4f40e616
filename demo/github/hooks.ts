/** Webhook deliveries: signed, sent without holding anybody up, remembered, and sent again only when asked. */
import { createHmac, randomUUID } from "node:crypto";
import type { Store } from "./store.ts";

export interface DeliveryRecord {
  guid: string;
  event: string;
  action: string | null;
  at: string;
  /** Where it was to go; null where no address was configured. */
  to: string | null;
  /** The exact text that was signed and sent. */
  payload: string;
  /** Each try: the receiver's status, or null with the reason when there was no answer. */
  attempts: { at: string; status: number | null; durationMs: number; reason: string | null }[];
}

export interface Hooks {
  /** Notes the delivery and sends it soon; nothing is sent where no address is configured. */
  send(event: string, action: string | null, payload: object): DeliveryRecord;
  /** Sends it again under the same id, as GitHub's "Redeliver" does. */
  redeliver(guid: string, options?: { secret?: string }): Promise<DeliveryRecord>;
  list(): DeliveryRecord[];
  /** Waits until nothing is under way. */
  idle(): Promise<void>;
}

/** GitHub gives a receiver this long. */
const RECEIVER_LIMIT_MS = 10_000;

export function createHooks(store: Store): Hooks {
  const records = new Map<string, DeliveryRecord>();
  for (const record of store.read<DeliveryRecord>("deliveries")) records.set(record.guid, record);
  const underWay = new Set<Promise<unknown>>();

  const attempt = async (record: DeliveryRecord, secret?: string): Promise<void> => {
    const hook = store.world.webhook;
    if (hook === null) return;
    const started = Date.now();
    const note = (status: number | null, reason: string | null): void => {
      record.attempts.push({ at: new Date(started).toISOString(), status, durationMs: Date.now() - started, reason });
      store.append("deliveries", record);
    };
    try {
      const answer = await fetch(hook.url, {
        method: "POST",
        headers: headersOf(record, secret ?? hook.secret),
        body: record.payload,
        signal: AbortSignal.timeout(RECEIVER_LIMIT_MS),
      });
      await answer.arrayBuffer();
      note(answer.status, null);
    } catch (error) {
      note(null, error instanceof Error ? error.message : String(error));
    }
  };

  const inBackground = (work: Promise<void>): void => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };

  // What was on its way when the process was killed.
  for (const record of records.values()) {
    if (record.to !== null && record.attempts.length === 0) inBackground(attempt(record));
  }

  return {
    send(event, action, payload) {
      const record: DeliveryRecord = {
        guid: randomUUID(),
        event,
        action,
        at: new Date().toISOString(),
        to: store.world.webhook?.url ?? null,
        payload: JSON.stringify(payload),
        attempts: [],
      };
      records.set(record.guid, record);
      store.append("deliveries", record);
      inBackground(attempt(record));
      return record;
    },
    async redeliver(guid, options = {}) {
      const record = records.get(guid);
      if (!record) throw new Error(`There is no delivery ${guid}.`);
      await attempt(record, options.secret);
      return record;
    },
    list: () => [...records.values()],
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function headersOf(record: DeliveryRecord, secret: string): Record<string, string> {
  const sign = (algorithm: string): string => createHmac(algorithm, secret).update(record.payload).digest("hex");
  return {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/played",
    "x-github-event": record.event,
    "x-github-delivery": record.guid,
    "x-github-hook-id": "1",
    "x-github-hook-installation-target-type": "repository",
    "x-hub-signature": `sha1=${sign("sha1")}`,
    "x-hub-signature-256": `sha256=${sign("sha256")}`,
  };
}
