/** The demo's stage: a GitHub with a repository on it, a model, and the product between them. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { namedLikeSecrets } from "../config/secrets.ts";
import { freePort } from "../workers/temporal-process.ts";
import { type PlayedGitHub, startGitHub } from "./github/server.ts";
import type { Scenario } from "./model/scenario.ts";
import { type PlayedModel, startModel } from "./model/server.ts";
import { type Product, startProduct, untilReady } from "./product.ts";
import { createDemoRepository, demoRepositories } from "./repositories/index.ts";
import { scenarios } from "./scenarios/index.ts";

export interface Stage {
  /** The folder of all that the demo keeps while it runs. */
  folder: string;
  home: string;
  logFile: string;
  github: PlayedGitHub;
  /** null: Claude itself answers. */
  model: PlayedModel | null;
  product: Product;
  /** Address of the product's API and pages. */
  url: string;
  temporal: { address: string; webUi: string };
  webhookSecret: string;
  /** All that the product holds and may tell nobody. */
  secrets: string[];
  /** null: reading needs none, and nothing can be changed over HTTP. */
  apiToken: string | null;
  repository: string;
  maintainer: string;
  author: string;
  /** Kills the product without a warning and starts it again, with these changes of its environment, or another copy of the program. */
  restart(changes?: Readonly<Record<string, string>>, program?: string): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  repositoryName: string;
  /** Claude's key, for a run with Claude itself. */
  live: { apiKey: string; baseUrl: string | undefined; model: string | undefined } | null;
  env: Readonly<Record<string, string>>;
  /** mergewright.yaml; absent: the defaults. */
  settings?: string;
  /** The product speaks as this App, installed on the repository's owner, instead of by a user's token. */
  app?: { publicKey: string; privateKey: string };
  /** What the played Claude says; absent: the recordings of the demo. */
  scenarios?: readonly Scenario[];
  /** How long the played Claude thinks before each reply, in milliseconds; absent: just so long that the demo can be followed. */
  thinkMs?: number;
  /** Told each request to the played Claude, as it was sent. */
  onModelRequest?: (body: string) => void;
}

const MAINTAINER = "mara-maintainer";
const BOT = "mergewright-demo";

export async function setStage(options: StageOptions): Promise<Stage> {
  const source = demoRepositories[options.repositoryName]!;
  const folder = await mkdtemp(join(tmpdir(), "mergewright-demo-"));
  const home = join(folder, "home");
  const logFile = join(folder, "mergewright.log");
  const repository = `${source.owner}/${source.name}`;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const secret = randomBytes(20).toString("hex");

  const github = await startGitHub({
    directory: join(folder, "github"),
    webhook: { url: `${url}/webhook/github`, secret },
    accounts: [{ login: source.owner }, { login: MAINTAINER }, { login: source.author }, { login: BOT }],
    repositories: [
      {
        name: repository,
        permissions: { [MAINTAINER]: "maintain", [BOT]: "write", [source.author]: "read" },
        labels: [...source.labels, "mergewright"],
      },
    ],
  });
  const ownerToken = await github.people.token(source.owner);
  await pushHistory(options.repositoryName, join(folder, "history.git"), `${github.url}/${repository}.git`, ownerToken);
  const { onModelRequest } = options;
  const model = options.live
    ? null
    : await startModel({
        scenarios: options.scenarios ?? scenarios,
        thinkMs: options.thinkMs ?? 30,
        ...(onModelRequest && { onRequest: onModelRequest }),
      });
  const temporary = join(folder, "tmp");
  await mkdir(temporary);

  const env: Record<string, string> = {
    TMPDIR: temporary,
    MERGEWRIGHT_HOME: home,
    PORT: String(port),
    GITHUB_API_URL: github.apiUrl,
    GITHUB_GRAPHQL_URL: github.graphqlUrl,
    ...(await credentials(github, source.owner, options.app)),
    GITHUB_WEBHOOK_SECRET: secret,
    // The played GitHub sets no limits; GitHub itself asks for a second between writes.
    GITHUB_WRITE_SPACING_MS: "0",
    ANTHROPIC_API_KEY: options.live?.apiKey ?? `sk-ant-played-${randomBytes(20).toString("hex")}`,
    ...(model ? { ANTHROPIC_BASE_URL: model.url } : {}),
    ...(options.live?.baseUrl ? { ANTHROPIC_BASE_URL: options.live.baseUrl } : {}),
    ...(options.live?.model ? { ANTHROPIC_MODEL: options.live.model } : {}),
    ...options.env,
  };
  await writeFile(join(folder, "mergewright.yaml"), options.settings ?? "# The demo runs with the defaults.\n{}\n");
  const launch = (program?: string): Product =>
    startProduct({ command: ["start"], cwd: folder, env, logFile, ...(program === undefined ? {} : { program }) });
  const stage: Stage = {
    folder,
    home,
    logFile,
    github,
    model,
    product: launch(),
    url,
    temporal: { address: "", webUi: "" },
    webhookSecret: secret,
    secrets: namedLikeSecrets(env),
    apiToken: options.env["MERGEWRIGHT_API_TOKEN"] ?? null,
    repository,
    maintainer: MAINTAINER,
    author: source.author,
    async restart(changes = {}, program) {
      await stage.product.kill();
      Object.assign(env, changes);
      stage.product = launch(program);
      await untilReady(stage.product, url, logFile);
      await readAddresses();
    },
    async close() {
      await stage.product.stop();
      await Promise.all([github.close(), model?.close()]);
    },
  };
  // Its ports may be others after a restart, when somebody took the old ones in between.
  const readAddresses = async (): Promise<void> => {
    const named = options.env["TEMPORAL_ADDRESS"];
    if (named !== undefined) {
      stage.temporal = { address: named, webUi: "" };
      return;
    }
    const { address, webUi } = JSON.parse(await readFile(join(home, "temporal.json"), "utf8")) as Stage["temporal"];
    stage.temporal = { address, webUi };
  };
  try {
    await untilReady(stage.product, url, logFile);
    await readAddresses();
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}

async function credentials(
  github: PlayedGitHub,
  owner: string,
  app: StageOptions["app"],
): Promise<Record<string, string>> {
  if (app === undefined) return { GITHUB_TOKEN: await github.people.token(BOT) };
  const { id } = await github.people.addApp({ slug: BOT, publicKey: app.publicKey, installedOn: [owner] });
  return { GITHUB_APP_ID: String(id), GITHUB_APP_PRIVATE_KEY: app.privateKey };
}

/** Removes what a demo leaves behind. The log of one that failed is worth keeping. */
export function removeStage(stage: Stage): Promise<void> {
  return rm(stage.folder, { recursive: true, force: true });
}

/** The repository's history arrives as everybody's does: pushed with Git over HTTP. */
async function pushHistory(name: string, bare: string, cloneUrl: string, token: string): Promise<void> {
  await createDemoRepository(name, bare);
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`,
  };
  await promisify(execFile)("git", ["-C", bare, "push", "-q", "--", cloneUrl, "+main:main"], { env });
}
