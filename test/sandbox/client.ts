/** A second worker process, to be killed: opens a sandbox, runs one command, prints its result as JSON. */
import { createDockerSandboxes } from "../../activities/adapters/sandbox/docker.ts";
import { createLocalSandboxes } from "../../activities/adapters/sandbox/local.ts";
import { never, specOf, textOf } from "./harness.ts";

const [kind, where, key, command, script] = process.argv.slice(2) as [string, string, string, string, string];
const dockerHost = process.env.DOCKER_HOST;
const sandboxes =
  kind === "docker"
    ? createDockerSandboxes({ image: where, ...(dockerHost ? { dockerHost } : {}) })
    : createLocalSandboxes({ allowed: true, root: where });
const sandbox = await sandboxes.open(specOf(key), never);
process.stdout.write("open\n");
const result = await sandbox.run({ key: command, script, timeoutMs: 60_000, keepBytes: 20_000 }, never);
process.stdout.write(`${JSON.stringify({ kind: result.kind, text: textOf(result) })}\n`);
