/**
 * Many issues at once: `npm run bench:load [-- --issues N --repositories N --busy N --at-once N --think-ms N --json]`. The product is one
 * process with the embedded Temporal server beside it; GitHub and Claude are played by this process, on the same machine.
 * One repository has most of the issues, and one a single issue, labelled last: its time is told alone and in the crowd.
 */
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { removeStage, setStage, type Stage } from "../demo/stage.ts";
import { findTemporalServer } from "../workers/temporal-state.ts";
import {
  addRepository,
  BOT,
  bytesBelow,
  durations,
  label,
  type LoadIssue,
  movesOf,
  openIssues,
  wrongOutside,
} from "./load/crowd.ts";
import { loadScenario } from "./load/scenario.ts";
import { readArguments } from "./arguments.ts";
import { memoryOf } from "./process-memory.ts";
import { measured, rounded, spread, type Spread } from "./statistics.ts";

interface Report {
  machine: { processors: number; memoryGb: number; sandbox: "docker" | "local" };
  issues: number;
  repositories: number;
  /** How long the played Claude took for each reply, in milliseconds. */
  thinkMs: number;
  merged: number;
  /** What is not as it must be; empty when all is well. */
  wrong: string[];
  issuesPerMinute: number;
  /** From a label to the end of its run, in seconds. */
  seconds: Spread;
  /** Of the repository with a single issue: with nothing else to do, and labelled after all others. */
  singleIssueSeconds: { alone: number; inTheCrowd: number };
  webhookMs: Spread;
  /** What one run asks of GitHub's API, and how much of it changes something: GitHub limits both. Without Git's transfers. */
  gitHubRequestsPerRun: { all: number; changing: number };
  /** What one run leaves in the artifact store, in MB. */
  artifactsMbPerRun: number;
  /** Moves of sandboxes between workers; with one worker each was a false alarm. */
  moves: number;
  /** Resident memory in MB. */
  productMb: { start: number; peak: number };
  temporalMb: { start: number; peak: number };
}

const flags = readArguments(
  "Usage: npm run bench:load -- [--issues 200] [--repositories 20] [--busy 150] [--at-once N] [--think-ms 30] [--minutes 60] [--json]\n" +
    "The busy repository has `busy` issues, one has a single issue, and the rest is spread over the others, which have one each at least.\n" +
    "The played Claude replies six times for each issue, and takes `think-ms` each time; Claude itself takes some seconds.",
  {
    issues: { kind: "count", default: 200 },
    repositories: { kind: "count", default: 20, atLeast: 2 },
    busy: { kind: "count", default: 150 },
    "at-once": { kind: "count", default: null },
    "think-ms": { kind: "count", default: 30 },
    minutes: { kind: "count", default: 60 },
    json: { kind: "switch" },
  },
  ({ issues, repositories, busy }) => {
    const left = issues - busy - 1;
    const fits = repositories === 2 ? left === 0 : left >= repositories - 2;
    return fits ? null : `${issues} issues do not fit into ${repositories} repositories of which one has ${busy}.`;
  },
);
const { issues, repositories, busy, minutes } = flags;
const others = repositories - 2;

const stage = await setStage({
  repositoryName: "little-duration",
  live: null,
  settings: "auto_merge: true\nrequire_review: false\n",
  scenarios: [loadScenario],
  thinkMs: flags["think-ms"],
  env: {
    ...handedOn(["TEMPORAL_CLI", "DOCKER_IMAGE", "EXECUTION_MODE"]),
    LOG_LEVEL: "info",
    ...(flags["at-once"] ? { MERGEWRIGHT_RUNS_AT_ONCE: String(flags["at-once"]) } : {}),
  },
});
let report: Report;
try {
  report = await measure(stage);
} finally {
  await stage.close();
}
if (report.wrong.length === 0) await removeStage(stage);
else process.stderr.write(`Something is wrong; the log is kept: ${stage.logFile}\n`);
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exit(report.wrong.length === 0 ? 0 : 1);

async function measure(on: Stage): Promise<Report> {
  const connection = await Connection.connect({ address: on.temporal.address });
  const client = new Client({ connection });
  const pids = { product: on.product.process.pid!, temporal: findTemporalServer(on.home)!.pid };
  const timeoutMs = minutes * 60_000;
  const quiet = await addRepository(on, "quiet");

  say("one issue to warm up, then one alone");
  await addRepository(on, "warm-up");
  const silent = { timeoutMs, progress: () => undefined };
  for (const issue of await openIssues(on, `${quiet.split("/")[0]!}/warm-up`, 1)) {
    await label(on, issue);
    await durations(client, [issue], silent);
  }
  const alone = (await openIssues(on, quiet, 1))[0]!;
  await label(on, alone);
  const aloneMs = (await durations(client, [alone], silent)).get(alone)!;

  say("the crowd is opened");
  const crowd = await openIssues(on, await addRepository(on, "busy"), busy);
  for (let index = 0; index < others; index++) {
    const count = Math.floor((issues - busy - 1 + index) / others);
    crowd.push(...(await openIssues(on, await addRepository(on, `other-${index + 1}`), count)));
  }
  const single = await openNext(on, quiet);
  crowd.push(single);
  const before = { product: await memoryOf(pids.product), temporal: await memoryOf(pids.temporal) };
  const bytesBefore = await bytesBelow(join(on.home, "artifacts"));
  const startedAt = Date.now();
  for (const issue of crowd) await label(on, issue);
  say(`${crowd.length} issues are labelled`);
  const progress = (ended: number): void => say(`${ended} of ${crowd.length} have ended`);
  const took = await durations(client, crowd, { timeoutMs, progress });
  const lastEnd = Math.max(...[...took].map(([issue, ms]) => issue.labelledAt + ms));
  const after = { product: await memoryOf(pids.product), temporal: await memoryOf(pids.temporal) };
  const answers = (await on.github.people.deliveries()).flatMap(({ attempts }) => attempts);
  const asked = (await on.github.people.requests()).filter(
    ({ at, actor, path }) => Date.parse(at) >= startedAt && actor === BOT && !path.includes(".git/"),
  );
  const wrong = await wrongOutside(on, [...crowd, alone]);
  const moves = await movesOf(on, crowd);
  await connection.close();
  return {
    machine: {
      processors: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      sandbox: process.env["EXECUTION_MODE"]?.startsWith("local") ? "local" : "docker",
    },
    issues: crowd.length,
    repositories,
    thinkMs: flags["think-ms"],
    merged: crowd.length - wrong.filter((each) => each.includes("#")).length,
    wrong,
    issuesPerMinute: rounded(crowd.length / ((lastEnd - startedAt) / 60_000)),
    seconds: spread(
      measured(
        "no issue came to its end",
        [...took.values()].map((ms) => ms / 1000),
      ),
    ),
    singleIssueSeconds: { alone: rounded(aloneMs / 1000), inTheCrowd: rounded(took.get(single)! / 1000) },
    webhookMs: spread(
      measured(
        "no delivery was answered",
        answers.map(({ durationMs }) => durationMs),
      ),
    ),
    gitHubRequestsPerRun: {
      all: rounded(asked.length / crowd.length),
      changing: rounded(asked.filter(({ method }) => method !== "GET").length / crowd.length),
    },
    artifactsMbPerRun: rounded(((await bytesBelow(join(on.home, "artifacts"))) - bytesBefore) / 2 ** 20 / crowd.length),
    moves,
    productMb: { start: before.product?.nowMb ?? Number.NaN, peak: after.product?.peakMb ?? Number.NaN },
    temporalMb: { start: before.temporal?.nowMb ?? Number.NaN, peak: after.temporal?.peakMb ?? Number.NaN },
  };
}

/** The second issue of the quiet repository: the first was the one alone. */
async function openNext(on: Stage, repository: string): Promise<LoadIssue> {
  const { number } = await on.github.people.as(on.maintainer).openIssue(repository, { title: "Part 2 is missing" });
  return { repository, number, labelledAt: Number.NaN };
}

function say(what: string): void {
  if (!flags.json) process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}

function handedOn(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
