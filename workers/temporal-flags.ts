/** How the embedded Temporal server is started: on loopback, on a file, and tuned for many short activities. */
import { searchAttributes } from "../workflows/search-attributes.ts";

export interface ServerFlags {
  /** Absolute path of the SQLite file. */
  database: string;
  namespace: string;
  port: number;
  uiPort: number;
  /** Where its Web UI has payloads decoded; null: nowhere. */
  codecEndpoint?: string | null;
}

export function serverArguments({ database, namespace, port, uiPort, codecEndpoint }: ServerFlags): string[] {
  return [
    ...start(port),
    `--ui-port=${uiPort}`,
    ...(codecEndpoint ? [`--ui-codec-endpoint=${codecEndpoint}`] : []),
    `--db-filename=${database}`,
    "--log-format=json",
    "--log-level=warn",
    ...(namespace === "default" ? [] : [`--namespace=${namespace}`]),
    ...SQLITE.map((pragma) => `--sqlite-pragma=${pragma}`),
    ...common(),
  ];
}

/** The same server without a file and without a Web UI: for tests and benchmarks. */
export function memoryServerArguments(port: number): string[] {
  return [
    ...start(port),
    "--headless",
    "--log-level=error",
    ...common(),
    // Search attributes are read a moment after they are written; tests wait for them.
    "--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=true",
  ];
}

function start(port: number): string[] {
  return ["server", "start-dev", "--ip=127.0.0.1", `--port=${port}`];
}

function common(): string[] {
  return [
    ...searchAttributes.map(({ name, type }) => `--search-attribute=${name}=${ATTRIBUTE_TYPES[type]}`),
    ...TUNING.map((value) => `--dynamic-config-value=${value}`),
  ];
}

const ATTRIBUTE_TYPES = {
  TEXT: "Text",
  KEYWORD: "Keyword",
  INT: "Int",
  DOUBLE: "Double",
  BOOL: "Bool",
  DATETIME: "Datetime",
  KEYWORD_LIST: "KeywordList",
} as const;

/** A write-ahead log halves the cost of an activity. Nothing is lost when a process dies; a power cut may cost the last moments. */
const SQLITE = ["journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"];

/** As it comes, the one shard looks at its queues 20 times a second, and every activity waits for that look. */
const TUNING = [
  "history.transferProcessorMaxPollRPS=1000",
  "history.timerProcessorMaxPollRPS=1000",
  "history.visibilityProcessorMaxPollRPS=200",
  "history.shardIOConcurrency=16",
  "history.enableHostLevelEventsCache=true",
  "history.rps=50000",
  "matching.numTaskqueueReadPartitions=1",
  "matching.numTaskqueueWritePartitions=1",
  "matching.rps=50000",
  "frontend.namespaceRPS=50000",
  "frontend.rps=50000",
  // A repository with many issues does not hold up one with a single issue (`domain/priority.ts`); includes priorities.
  "matching.enableFairness=true",
];
