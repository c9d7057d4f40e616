/** When people who are waited for are reminded, and when they are waited for no longer. */

export type Alarm = { inMs: number } & ({ kind: "remind"; number: number } | { kind: "expired" });

const HOUR_MS = 3_600_000;

/** The next thing to happen in a wait of `waitedMs` milliseconds. `hours` between reminders and `days` until the end; 0: never. */
export function nextAlarm({ waitedMs, hours, days }: { waitedMs: number; hours: number; days: number }): Alarm | null {
  const number = hours === 0 ? 0 : Math.floor(waitedMs / (hours * HOUR_MS)) + 1;
  const remindAt = hours === 0 ? Infinity : number * hours * HOUR_MS;
  const endAt = days === 0 ? Infinity : days * 24 * HOUR_MS;
  if (remindAt === Infinity && endAt === Infinity) return null;
  // At the end nobody is reminded any more.
  if (endAt <= remindAt) return { kind: "expired", inMs: Math.max(0, endAt - waitedMs) };
  return { kind: "remind", number, inMs: remindAt - waitedMs };
}
