/** Where set-up keeps what every clone on this machine can use again. */
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * `MERGEWRIGHT_CACHE`, else `$XDG_CACHE_HOME/mergewright`, else `~/.cache/mergewright`.
 * @param {NodeJS.ProcessEnv} [env]
 */
export function cacheDirectory(env = process.env) {
  return env.MERGEWRIGHT_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mergewright");
}
