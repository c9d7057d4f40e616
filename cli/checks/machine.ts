/** This machine: Node, Git, and the place where the state lives. */
import { execFile } from "node:child_process";
import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Config } from "../../config/config.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const MIN_NODE = [20, 20] as const;
/** The first that knows `safe.bareRepository`, with which our mirrors are guarded. */
const MIN_GIT = [2, 38] as const;
const GIB = 1024 ** 3;

export async function checkNode(version: string = process.versions.node): Promise<Finding[]> {
  const name = "Node";
  if (atLeast(version, MIN_NODE)) return [ok(name, `Version ${version}.`)];
  return [fail(name, `Version ${version} is too old.`, `Install Node ${MIN_NODE.join(".")} or newer.`)];
}

export async function checkGit(env: Record<string, string | undefined>): Promise<Finding[]> {
  const name = "Git";
  let said: string;
  try {
    ({ stdout: said } = await promisify(execFile)("git", ["--version"], {
      timeout: 10_000,
      env: env as NodeJS.ProcessEnv,
    }));
  } catch (error) {
    return [
      fail(
        name,
        `It cannot be run (${(error as Error).message.split("\n")[0]}).`,
        "Install Git, so that `git` is on the PATH.",
      ),
    ];
  }
  const version = /\d+\.\d+(\.\d+)?/.exec(said)?.[0] ?? "0.0";
  if (atLeast(version, MIN_GIT)) return [ok(name, `Version ${version}.`)];
  return [fail(name, `Version ${version} is too old.`, `Install Git ${MIN_GIT.join(".")} or newer.`)];
}

export async function checkHome({ home, artifacts }: Pick<Config, "home" | "artifacts">): Promise<Finding[]> {
  const places = new Set([home, ...(artifacts.kind === "file" ? [artifacts.directory] : [])]);
  return (await Promise.all([...places].map(checkDirectory))).flat();
}

async function checkDirectory(directory: string): Promise<Finding[]> {
  const name = "State directory";
  const probe = join(directory, `.doctor-${process.pid}`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(probe, "");
    await rm(probe);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [
      fail(
        name,
        `${directory} cannot be written (${code}).`,
        "Correct its permissions, or set MERGEWRIGHT_HOME to another directory.",
      ),
    ];
  }
  const { bavail, bsize } = await statfs(directory);
  const free = (bavail * bsize) / GIB;
  const what = `${directory} can be written, ${free.toFixed(1)} GiB are free.`;
  const mend = "Make room, or set MERGEWRIGHT_HOME to a directory on a larger disk.";
  if (free < 0.5) return [fail(name, what, mend)];
  return [free < 5 ? warn(name, what, mend) : ok(name, what)];
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}
