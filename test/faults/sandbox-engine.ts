/** A Docker engine of the test's own, in a temporary folder, that may be stopped and started as a row wants it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import Docker from "dockerode";
import { until } from "../sandbox/harness.ts";

export interface OwnEngine {
  dockerHost: string;
  /** Fine when it is up already. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Copies an image over from the engine that all tests share. */
  load(image: string): Promise<void>;
  remove(): Promise<void>;
}

/** null: one can be started here. */
export const whyNoOwnEngine: string | null =
  process.getuid?.() === 0
    ? (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "dockerd")))
      ? null
      : "there is no dockerd on the PATH"
    : "only root can start a Docker engine";

export function ownEngine(): OwnEngine {
  // Made by the first start: rows that are not chosen leave nothing behind.
  const folder = join(tmpdir(), `mergewright-dockerd-${randomUUID().slice(0, 8)}`);
  const socket = join(folder, "docker.sock");
  const docker = new Docker({ socketPath: socket });
  let engine: ChildProcess | null = null;

  const stop = async (): Promise<void> => {
    if (engine === null || engine.exitCode !== null) return;
    const gone = once(engine, "exit");
    engine.kill("SIGTERM");
    await gone;
    engine = null;
  };
  return {
    dockerHost: `unix://${socket}`,
    async start() {
      if (engine !== null) return;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const log = openSync(join(folder, "dockerd.log"), "a");
      const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")];
      const files = ["--pidfile", join(folder, "dockerd.pid"), "--host", `unix://${socket}`];
      const network = ["--bridge", "none", "--iptables=false", "--ip6tables=false"];
      engine = spawn("dockerd", [...places, ...files, ...network], {
        stdio: ["ignore", log, log],
      });
      const answers = () =>
        docker.ping().then(
          () => true,
          () => false,
        );
      await until("the engine of the test's own answers", answers, 60_000);
    },
    stop,
    async load(image) {
      const shared = new Docker();
      const packed = await shared.getImage(image).get();
      await docker.loadImage(packed, { quiet: true }).then((answer) => drained(answer));
    },
    async remove() {
      await stop();
      // An engine leaves its mounts behind when it is stopped while containers run.
      try {
        execFileSync("sh", [
          "-c",
          `awk '$2 ~ "^${folder}" {print $2}' /proc/self/mounts | sort -r | xargs -r umount -l`,
        ]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

async function drained(stream: NodeJS.ReadableStream): Promise<void> {
  stream.resume();
  await once(stream, "end");
}
