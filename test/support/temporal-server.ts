/** A Temporal dev server for tests: in memory, tuned for latency, on a free port, gone with the process that started it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Connection } from "@temporalio/client";
import { findTemporalCli } from "../../scripts/setup/temporal-cli.mjs";
import { memoryServerArguments } from "../../workers/temporal-flags.ts";
import { freePort } from "../../workers/temporal-process.ts";

export interface TemporalServer {
  address: string;
  /** Path of the CLI that runs it. */
  cli: string;
  stop(): Promise<void>;
}

const START_MS = 30_000;

/** `more`: dynamic configuration, as `KEY=VALUE`. */
export async function startTemporalServer(more: readonly string[] = []): Promise<TemporalServer> {
  const cli = await findTemporalCli({ allowInstall: false });
  const port = await freePort();
  const values = more.map((value) => `--dynamic-config-value=${value}`);
  const child = spawnWithOwner(cli.path, [...memoryServerArguments(port), ...values]);
  const address = `127.0.0.1:${port}`;
  try {
    await untilServing(address, child);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { address, cli: cli.path, stop: () => stop(child) };
}

/**
 * The shell between reads from a pipe of ours: when this process ends, in whatever way, the pipe closes and the shell
 * ends the server. Without it a killed test run leaves a server behind.
 */
function spawnWithOwner(program: string, parameters: string[]): ChildProcess {
  const script = '"$@" & server=$!; (read -r _ <&3; kill $server 2>/dev/null) & trap "" TERM INT; wait $server';
  return spawn("sh", ["-c", script, "sh", program, ...parameters], { stdio: ["ignore", "ignore", "pipe", "pipe"] });
}

async function untilServing(address: string, child: ChildProcess): Promise<void> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`The Temporal dev server ended at once: ${said.trim() || `exit ${child.exitCode}`}`);
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await connection.workflowService.describeNamespace({ namespace: "default" });
      await connection.close();
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(
          `The Temporal dev server at ${address} did not answer within ${START_MS / 1000} s. ${said.trim()}`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.stdio[3]?.destroy();
  await ended;
}
