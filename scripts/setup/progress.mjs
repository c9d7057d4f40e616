/** Tells a person what set-up is doing: one line a step with its time, on standard error, live on a terminal. */

/**
 * What a step says while it works.
 * @typedef {object} StepLog
 * @property {(text: string) => void} live What is going on now; the next one takes its place.
 * @property {(text: string) => void} line Something that should stay to be read.
 */

/**
 * @typedef {object} Progress
 * @property {<T>(title: string, work: (log: StepLog) => Promise<T>, ended: (result: T) => string) => Promise<T>} step
 *   Runs `work` as one step and closes its line with what `ended` says of the result.
 */

/** @type {StepLog} */
export const silentLog = { live: () => {}, line: () => {} };

const FRAME_MS = 200;
/** Without a terminal a long step says that it still lives this often, so that a build log is not taken for dead. */
const REMINDER_MS = 20_000;

/**
 * @param {NodeJS.WriteStream} [stream]
 * @returns {Progress}
 */
export function createProgress(stream = process.stderr) {
  return {
    async step(title, work, ended) {
      const started = performance.now();
      const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
      let now = "";
      const clear = () => stream.isTTY && stream.write("\r\u001b[K");
      const write = (/** @type {string} */ text) => {
        clear();
        stream.write(`${text}\n`);
      };
      const draw = () => {
        const text = `  … ${title}${now ? `: ${now}` : ""} (${seconds()})`;
        if (stream.isTTY) stream.write(`\r\u001b[K${text.slice(0, (stream.columns || 80) - 1)}`);
        else stream.write(`${text}\n`);
      };
      const timer = setInterval(draw, stream.isTTY ? FRAME_MS : REMINDER_MS);
      try {
        const result = await work({
          live: (text) => {
            now = text;
          },
          line: (text) => write(`    ${text}`),
        });
        write(`  ✓ ${title}: ${ended(result)} (${seconds()})`);
        return result;
      } catch (error) {
        write(`  ✗ ${title} (${seconds()})`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
