/**
 * The played model as a process: prints `{"url", "port", "pid"}` on one line and serves until it is ended.
 * `--scenarios MODULE` (repeatable) names modules that export `scenarios`; `--bench N` adds the bench scenario after them.
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { benchScenario } from "./bench.ts";
import type { Scenario } from "./scenario.ts";
import { startModel } from "./server.ts";

const { values } = parseArgs({
  options: {
    scenarios: { type: "string", multiple: true, default: [] },
    bench: { type: "string" },
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    state: { type: "string" },
    key: { type: "string" },
    "think-ms": { type: "string", default: "0" },
    "event-ms": { type: "string", default: "0" },
  },
});

const loaded = await Promise.all(values.scenarios.map(loadScenarios));
const scenarios = [
  ...loaded.flat(),
  ...(values.bench !== undefined ? [benchScenario({ turns: readNumber("bench", values.bench) })] : []),
];
const model = await startModel({
  scenarios,
  host: values.host,
  port: readNumber("port", values.port),
  thinkMs: readNumber("think-ms", values["think-ms"]),
  eventMs: readNumber("event-ms", values["event-ms"]),
  ...(values.state !== undefined ? { stateFile: values.state } : {}),
  ...(values.key !== undefined ? { apiKey: values.key } : {}),
});
process.stdout.write(
  `${JSON.stringify({ url: model.url, port: Number(new URL(model.url).port), pid: process.pid })}\n`,
);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void model.close().then(() => process.exit(0)));

async function loadScenarios(file: string): Promise<Scenario[]> {
  const module = (await import(pathToFileURL(file).href)) as { scenarios?: Scenario[] };
  if (!Array.isArray(module.scenarios))
    throw new Error(`${file} exports no list named "scenarios" (see demo/model/scenario.ts).`);
  return module.scenarios;
}

function readNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0)
    throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}.`);
  return number;
}
