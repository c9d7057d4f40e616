/** Runs the real binary as a person would, with an environment of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const BINARY = fileURLToPath(new URL("../../bin/mergewright.mjs", import.meta.url));

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export interface CliOptions {
  cwd: string;
  env?: Record<string, string>;
}

export function spawnCli(args: readonly string[], { cwd, env = {} }: CliOptions): ChildProcess {
  const { PATH, HOME, MERGEWRIGHT_CACHE, TEMPORAL_CLI } = process.env;
  const inherited = Object.fromEntries(
    Object.entries({ PATH, HOME, MERGEWRIGHT_CACHE, TEMPORAL_CLI }).filter(([, value]) => value !== undefined),
  );
  return spawn(process.execPath, [BINARY, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export async function cli(args: readonly string[], options: CliOptions): Promise<Ended> {
  const child = spawnCli(args, options);
  let [out, err] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (code) => resolve({ code, out, err }));
  });
}
