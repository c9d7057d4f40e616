import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findTemporalCli } from "../../scripts/setup/temporal-cli.mjs";
import { createLog } from "../../workers/log.ts";
import { missingSearchAttributes, retentionDays } from "../../workers/temporal-namespace.ts";
import { commandLineOf } from "../../workers/temporal-process.ts";
import {
  ensureSearchAttributes,
  findTemporalServer,
  startTemporalServer,
  type TemporalServer,
} from "../../workers/temporal-server.ts";

const { path: cli } = await findTemporalCli({ allowInstall: false });
const log = createLog({ level: "silent" });
let home: string;
let servers: TemporalServer[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "mw-home-"));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  rmSync(home, { recursive: true, force: true });
});

async function start(more: Partial<Parameters<typeof startTemporalServer>[0]> = {}): Promise<TemporalServer> {
  const server = await startTemporalServer({ home, cli, log, ...more });
  servers.push(server);
  return server;
}

async function connected<T>(address: string, use: (client: Client, connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }), connection);
  } finally {
    await connection.close();
  }
}

const startWorkflow = (address: string) =>
  connected(address, (client) => client.workflow.start("anything", { workflowId: "kept", taskQueue: "nobody" }));
const stateOfWorkflow = (address: string) =>
  connected(address, async (client) => (await client.workflow.getHandle("kept").describe()).status.name);

describe("the embedded Temporal server", () => {
  it("keeps its runs over a restart, for thirty days, with our search attributes", async () => {
    const first = await start();
    await startWorkflow(first.address);
    await first.stop();
    expect(await first.ended).toBeNull();
    expect(findTemporalServer(home)).toBeNull();
    const second = await start();
    expect(await stateOfWorkflow(second.address)).toBe("RUNNING");
    await connected(second.address, async (_, connection) => {
      expect(await retentionDays(connection, "default")).toBe(30);
      expect(await missingSearchAttributes(connection, "default")).toEqual([]);
      expect(await ensureSearchAttributes(connection, "default")).toEqual({ added: [], missing: [], reason: null });
    });
  });

  it("is found by other commands, and listens on loopback only", async () => {
    const server = await start();
    expect(findTemporalServer(home)).toEqual({ address: server.address, webUi: server.webUi, pid: server.pid });
    expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect((await fetch(server.webUi)).status).toBe(200);
  });

  it("comes up again at the same address when it is killed", async () => {
    const server = await start();
    await startWorkflow(server.address);
    const killed = server.pid;
    process.kill(killed, "SIGKILL");
    await expect.poll(() => stateOfWorkflow(server.address).catch(() => "down"), { timeout: 30_000 }).toBe("RUNNING");
    await expect.poll(() => server.pid, { timeout: 30_000 }).not.toBe(killed);
  });

  it("is not started twice on one directory", async () => {
    const server = await start();
    await expect(startTemporalServer({ home, cli, log })).rejects.toThrow(/already runs Mergewright/);
    expect(commandLineOf(server.pid)).toContain("start-dev");
  });

  it("refuses a port that was asked for and is taken, and takes another when none was asked for", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    try {
      await expect(start({ port })).rejects.toThrow(`port ${port} is taken`);
      writeFileSync(
        join(home, "temporal.json"),
        JSON.stringify({ address: `127.0.0.1:${port}`, webUi: `http://127.0.0.1:${port}`, pid: 1 }),
      );
      expect((await start()).address).not.toBe(`127.0.0.1:${port}`);
    } finally {
      other.close();
    }
  });

  it("says which program could not be run", async () => {
    await expect(start({ cli: join(home, "no-such-program") })).rejects.toThrow(/no-such-program.*TEMPORAL_CLI/);
    expect(existsSync(join(home, "temporal.lock"))).toBe(false);
  });

  it("a process id that now belongs to something else is left alone", async () => {
    const bystander = spawn("sleep", ["60"]);
    writeFileSync(
      join(home, "temporal.json"),
      JSON.stringify({ address: "127.0.0.1:1", webUi: "http://127.0.0.1:2", pid: bystander.pid }),
    );
    await start();
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    bystander.kill();
  });
});

describe("when the process that runs it is killed with kill -9", () => {
  let parent: ChildProcess;
  const program = `
    const { startTemporalServer } = await import(${JSON.stringify(new URL("../../workers/temporal-server.ts", import.meta.url).href)});
    const { createLog } = await import(${JSON.stringify(new URL("../../workers/log.ts", import.meta.url).href)});
    const [home, cli] = process.argv.slice(-2);
    const server = await startTemporalServer({ home, cli, log: createLog({ level: "silent" }) });
    console.log(JSON.stringify({ address: server.address, pid: server.pid }));
    setInterval(() => {}, 1000);
  `;

  async function startParent(): Promise<{ address: string; pid: number }> {
    parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program, "--", home, cli], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout!, "data")) as [Buffer];
    return JSON.parse(line.toString());
  }
  const kill = async () => {
    const ended = once(parent, "exit");
    parent.kill("SIGKILL");
    await ended;
  };

  it("the server goes too, and the next start has everything", async () => {
    const orphan = await startParent();
    await startWorkflow(orphan.address);
    await kill();
    await expect.poll(() => commandLineOf(orphan.pid), { timeout: 20_000 }).toBeNull();
    const next = await start();
    expect(await stateOfWorkflow(next.address)).toBe("RUNNING");
  });

  it("a next start that comes at once ends the orphan itself", async () => {
    const orphan = await startParent();
    await startWorkflow(orphan.address);
    await kill();
    const next = await start();
    expect(commandLineOf(orphan.pid)).toBeNull();
    expect(await stateOfWorkflow(next.address)).toBe("RUNNING");
  });
});
