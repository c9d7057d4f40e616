/** The whole as separate processes: Temporal, API and workers of the product, and the played GitHub and Claude. */
import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { people, type People } from "../../../demo/github/people.ts";
import { findTemporalCli } from "../../../scripts/setup/temporal-cli.mjs";
import { serverArguments } from "../../../workers/temporal-flags.ts";
import { freePort } from "../../../workers/temporal-process.ts";
import { TASK_QUEUE } from "../../../workflows/messages.ts";
import { ownContainers } from "../../support/own-containers.ts";
import { createPart, type Part } from "./part.ts";

export interface Cluster {
  folder: string;
  homes: string[];
  artifacts: string;
  temporal: Part;
  api: Part;
  workers: [Part, Part];
  github: Part;
  model: Part;
  url: string;
  people: People;
  modelUrl: string;
  /** Talks to the Temporal server; reconnects by itself. */
  client: Client;
  temporalAddress: string;
  temporalCli: string;
  /** Names of this cluster's containers. */
  containers(): Promise<string[]>;
  parts(): Part[];
  /** As whom the product acts on GitHub. */
  actor: string;
  /** All that its processes hold. */
  secrets: string[];
  /** Ends everything; the folder with the logs stays when `keep` is set. */
  close(keep?: boolean): Promise<void>;
}

export interface ClusterOptions {
  /** `shared`: both workers use one MERGEWRIGHT_HOME. `own`: each has its own, and only the artifacts are shared. */
  homes?: "shared" | "own";
  /** For API and workers. */
  env?: Readonly<Record<string, string>>;
  /** For one worker each. */
  workerEnv?: readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>];
  /** mergewright.yaml. */
  settings?: string;
  /** For the API alone. */
  apiEnv?: Readonly<Record<string, string>>;
  /** The product is a GitHub App, and not a user with a token. */
  app?: boolean;
  /** Homes and artifacts stand on a file system of their own of this size. Needs root. */
  diskMb?: number;
}

export const OWNER = "tool-makers";
export const MAINTAINER = "mara-maintainer";
export const BOT = "mergewright-demo";
const APP_ID = 4_711;
const RSA = {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
} as const;
const run = promisify(execFile);
const INHERITED = ["PATH", "HOME", "LANG", "DOCKER_HOST", "XDG_CACHE_HOME", "MERGEWRIGHT_CACHE", "NO_PROXY"];

const root = fileURLToPath(new URL("../../../", import.meta.url));

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "mergewright-crash-"));
  const disk = join(folder, "disk");
  await mkdir(disk);
  if (options.diskMb !== undefined) await run("mount", ["-t", "tmpfs", "-o", `size=${options.diskMb}m`, "tmpfs", disk]);
  const homes = options.homes === "own" ? [join(disk, "home-1"), join(disk, "home-2")] : [join(disk, "home")];
  const artifacts = join(disk, "artifacts");
  const temporary = join(folder, "tmp");
  await Promise.all([...homes, artifacts, temporary].map((each) => mkdir(each, { recursive: true })));
  await writeFile(join(folder, "mergewright.yaml"), options.settings ?? "{}\n");

  const [temporalPort, uiPort, apiPort, githubPort, modelPort] = await freePorts(5);
  const temporalAddress = `127.0.0.1:${temporalPort}`;
  const url = `http://127.0.0.1:${apiPort}`;
  const githubUrl = `http://127.0.0.1:${githubPort}`;
  const modelUrl = `http://127.0.0.1:${modelPort}`;
  const secret = randomBytes(20).toString("hex");
  const apiKey = `sk-ant-played-${randomBytes(20).toString("hex")}`;
  const containers = ownContainers();
  const app = options.app ? generateKeyPairSync("rsa", RSA) : null;
  const { path: temporalCli } = await findTemporalCli({ allowInstall: false });
  const connection = Connection.lazy({ address: temporalAddress });
  const client = new Client({ connection });

  const base = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
  const product = {
    ...base,
    LOG_LEVEL: "debug",
    TMPDIR: temporary,
    TEMPORAL_ADDRESS: temporalAddress,
    ARTIFACTS_URL: pathToFileURL(artifacts).href,
    PORT: String(apiPort),
    GITHUB_API_URL: githubUrl,
    GITHUB_GRAPHQL_URL: `${githubUrl}/graphql`,
    ...(app === null
      ? { GITHUB_TOKEN: `played-${BOT}` }
      : { GITHUB_APP_ID: String(APP_ID), GITHUB_APP_PRIVATE_KEY: app.privateKey }),
    GITHUB_WEBHOOK_SECRET: secret,
    // The played GitHub sets no limits; GitHub itself asks for a second between writes.
    GITHUB_WRITE_SPACING_MS: "0",
    ANTHROPIC_API_KEY: apiKey,
    ANTHROPIC_BASE_URL: modelUrl,
    ...containers.env,
    ...options.env,
  };
  const part = (name: string, from: Pick<Parameters<typeof createPart>[0], "program" | "args" | "env" | "isReady">) =>
    createPart({ name, ...from, cwd: folder, logFile: join(folder, `${name}.log`) });
  const mergewright = (name: string, command: string, home: string, env: object, isReady: () => Promise<boolean>) =>
    part(name, {
      program: process.execPath,
      args: [join(root, "bin/mergewright.mjs"), command],
      env: { ...product, MERGEWRIGHT_HOME: home, ...env },
      isReady,
    });
  const played = (name: string, main: string, args: string[], env: object, isReady: () => Promise<boolean>) =>
    part(name, {
      program: process.execPath,
      args: ["--import", import.meta.resolve("tsx"), join(root, main), ...args],
      env: { ...base, ...env },
      isReady,
    });

  const answers = async (address: string): Promise<boolean> =>
    (await fetch(address, { signal: AbortSignal.timeout(2_000) })).ok;
  const polls = async (worker: () => Part): Promise<boolean> => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: "default",
      taskQueue: { name: TASK_QUEUE },
      taskQueueType: 1,
    });
    return (pollers ?? []).some((poller) => poller.identity?.startsWith(`${worker().pid}@`));
  };

  const cluster: Cluster = {
    folder,
    homes,
    artifacts,
    actor: app === null ? BOT : `${BOT}-app[bot]`,
    secrets: [secret, apiKey, app === null ? `played-${BOT}` : app.privateKey],
    url,
    modelUrl,
    people: people(githubUrl),
    client,
    temporalAddress,
    temporalCli,
    containers: containers.names,
    temporal: part("temporal", {
      program: temporalCli,
      args: serverArguments({
        database: join(folder, "temporal.db"),
        namespace: "default",
        port: temporalPort!,
        uiPort: uiPort!,
      }),
      env: { HOME: process.env["HOME"] },
      isReady: async () => {
        await client.workflowService.describeNamespace({ namespace: "default" });
        return true;
      },
    }),
    github: played(
      "github",
      "demo/github/main.ts",
      ["--port", String(githubPort), "--directory", join(folder, "github"), "--webhook-url", `${url}/webhook/github`],
      { PLAYED_WEBHOOK_SECRET: secret },
      () => answers(`${githubUrl}/_played/repositories`),
    ),
    model: played(
      "model",
      "demo/model/main.ts",
      [
        `--port=${modelPort}`,
        `--state=${join(folder, "model.jsonl")}`,
        "--think-ms=30",
        `--scenarios=${join(root, "test/faults/harness/scenario.ts")}`,
      ],
      {},
      () => answers(`${modelUrl}/_played/faults`),
    ),
    api: mergewright("api", "api", homes[0]!, options.apiEnv ?? {}, () => answers(`${url}/health`)),
    workers: [
      mergewright("worker-1", "worker", homes[0]!, options.workerEnv?.[0] ?? {}, () => polls(() => cluster.workers[0])),
      mergewright("worker-2", "worker", homes.at(-1)!, options.workerEnv?.[1] ?? {}, () =>
        polls(() => cluster.workers[1]),
      ),
    ],
    parts: () => [cluster.temporal, cluster.github, cluster.model, cluster.api, ...cluster.workers],
    async close(keep = false) {
      await Promise.all([cluster.api, ...cluster.workers].map((each) => each.stop()));
      await Promise.all([cluster.github, cluster.model, cluster.temporal].map((each) => each.stop()));
      await connection.close();
      if (options.diskMb !== undefined) await run("umount", [disk]);
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all([cluster.temporal, cluster.github, cluster.model].map((each) => each.start()));
    await cluster.people.addAccount({ login: MAINTAINER });
    await cluster.people.addAccount({ login: BOT });
    if (app !== null) {
      const seed = { id: APP_ID, slug: `${BOT}-app`, publicKey: app.publicKey, installedOn: [OWNER] };
      await cluster.people.addApp(seed);
    }
    await Promise.all([cluster.api, ...cluster.workers].map((each) => each.start()));
    return cluster;
  } catch (error) {
    await cluster.close(true);
    throw error;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}
