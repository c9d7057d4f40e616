/**
 * A small process that starts git for a large one. Node forks to start a process, which stops it for as long as its pages
 * are copied: 4 ms in a small process, 67 with 300 MB in use (measured on a virtual machine), and nothing else runs in the
 * meantime. `apart.ts` is its other side.
 *
 * @typedef {{ kind: "run", id: number, order: import("./git-process.mjs").GitOrder } | { kind: "stop", id: number }} ToSpawner
 * @typedef {{ kind: "ended", id: number, end: import("./git-process.mjs").GitEnd }
 *   | { kind: "not_started", id: number, code: string | undefined, message: string }} FromSpawner
 */
import { runGitProcess } from "./git-process.mjs";

/** @type {Map<number, AbortController>} */
const running = new Map();

// Ctrl-C reaches all processes of a terminal. This one ends with its parent, which may need git until then.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
// The parent is gone, also by kill -9: its git processes remove their locks and end, and with the last one so does this.
process.on("disconnect", () => {
  for (const stop of running.values()) stop.abort();
});

process.on("message", (/** @type {ToSpawner} */ message) => {
  if (message.kind === "stop") running.get(message.id)?.abort();
  else void run(message);
});

/** @param {Extract<ToSpawner, { kind: "run" }>} message */
async function run({ id, order }) {
  const stop = new AbortController();
  running.set(id, stop);
  try {
    tell({ kind: "ended", id, end: await runGitProcess(order, stop.signal) });
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    tell({ kind: "not_started", id, code, message });
  } finally {
    running.delete(id);
  }
}

/** @param {FromSpawner} message */
function tell(message) {
  // The parent may be gone by now; then nobody waits for it.
  if (process.connected) process.send?.(message, () => undefined);
}
