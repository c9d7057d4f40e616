/**
 * The played GitHub as a process of its own. Prints one line of JSON when it listens: `{url, apiUrl, graphqlUrl, pid}`.
 *
 *     tsx demo/github/main.ts [--port N] [--host H] [--directory DIR] [--seed FILE] [--webhook-url URL]
 *
 * FILE holds the options of `startGitHub` as JSON. The webhook's secret is read from PLAYED_WEBHOOK_SECRET.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type GitHubOptions, startGitHub } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    host: { type: "string" },
    directory: { type: "string" },
    seed: { type: "string" },
    "webhook-url": { type: "string" },
  },
});

const seed = values.seed === undefined ? {} : (JSON.parse(readFileSync(values.seed, "utf8")) as GitHubOptions);
const webhookUrl = values["webhook-url"];
const server = await startGitHub({
  ...seed,
  ...(values.port !== undefined && { port: Number(values.port) }),
  ...(values.host !== undefined && { host: values.host }),
  ...(values.directory !== undefined && { directory: values.directory }),
  ...(webhookUrl !== undefined && { webhook: { url: webhookUrl, secret: process.env["PLAYED_WEBHOOK_SECRET"] ?? "" } }),
});

const { url, apiUrl, graphqlUrl } = server;
process.stdout.write(`${JSON.stringify({ url, apiUrl, graphqlUrl, pid: process.pid })}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void server.close().then(() => process.exit(0)));
}
