/** Whether a machine's clock is wrong enough to be told of: pure; what GitHub said of the time goes in. */

/** GitHub refuses an App's own tokens from a clock that is a minute fast; an answer may be half of that under way. */
const WRONG_MS = 60_000;

/** `skewMs`: GitHub's clock minus this machine's. Null: it is right enough. */
export function wrongClock(skewMs: number): string | null {
  if (Math.abs(skewMs) < WRONG_MS) return null;
  const offS = Math.round(Math.abs(skewMs) / 1000);
  return `the clock is ${offS} s ${skewMs > 0 ? "behind" : "ahead of"} GitHub's; set it by NTP (timedatectl set-ntp true)`;
}
