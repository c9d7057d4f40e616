// Loaded into a process before all else: timers of 100 s and more pass QUICK_TIMERS times as fast. The clock goes as it does.
const times = Number(process.env["QUICK_TIMERS"]);
const rightTimer = globalThis.setTimeout;

/** @type {(work: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => NodeJS.Timeout} */
const quickTimer = (work, ms = 0, ...given) => rightTimer(work, ms >= 100_000 ? ms / times : ms, ...given);
globalThis.setTimeout = Object.assign(quickTimer, rightTimer);
