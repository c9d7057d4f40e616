/** Temporal payloads against a real server: what stands in the history, what on the disk, and what comes back. */
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WorkflowFailedError } from "@temporalio/client";
import { bundleWorkflowCode, DefaultLogger, Worker } from "@temporalio/worker";
import { afterAll, describe, expect, it } from "vitest";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { createS3Artifacts } from "../../activities/adapters/artifacts/s3.ts";
import type { PayloadKey } from "../../config/config.ts";
import type { Artifacts } from "../../domain/ports.ts";
import { dataConverterFor, type PayloadConfig } from "../../workers/payloads/data-converter.ts";
import { removePayloads, workflowsWithPayloads } from "../../workers/payloads/stored.ts";
import { startS3 } from "../support/s3.ts";
import { runWorker, temporalAddress, temporalCli, temporalClient } from "../support/temporal.ts";

const workflowsPath = fileURLToPath(new URL("stand-in/workflows.ts", import.meta.url));
const THRESHOLD = 1024;
const SECRET = "the-words-of-a-customer";
const large = `${SECRET} `.repeat(400);

const root = mkdtempSync(join(tmpdir(), "payloads-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const key = (id: string): PayloadKey => ({ id, key: randomBytes(32), written: id });

function fileConfig(payloadKeys: PayloadKey[] = []): PayloadConfig & { directory: string } {
  const directory = mkdtempSync(join(root, "store-"));
  return {
    artifacts: { kind: "file", url: `file://${directory}`, directory },
    payloadKeys,
    inlinePayloadBytes: THRESHOLD,
    directory,
  };
}

/** One conversation from its start to its end, by a worker and a client of this configuration. */
async function converse(config: PayloadConfig, { store, signal }: { store?: Artifacts; signal?: Tell } = {}) {
  const dataConverter = dataConverterFor(config, store);
  const client = await temporalClient({ dataConverter });
  const worker = await runWorker({
    workflowsPath,
    dataConverter,
    activities: {
      echo: async (text: string) => text,
      fail: async (text: string) => {
        throw new Error(`It went wrong: ${text}`);
      },
    },
  });
  const workflowId = `issue/acme/shop/${randomUUID().slice(0, 8)}`;
  try {
    const handle = await client.workflow.start("conversation", {
      args: [large],
      workflowId,
      taskQueue: worker.taskQueue,
    });
    await (signal ?? ((_, told) => told.signal("said", { text: large })))(workflowId, handle);
    const result = (await handle.result()) as string;
    const history = await handle.fetchHistory();
    const child = await client.workflow.getHandle(`${workflowId}/child`).fetchHistory();
    const failed = client.workflow.execute("failing", {
      args: [SECRET],
      workflowId: `${workflowId}/failing`,
      taskQueue: worker.taskQueue,
    });
    const failure = await failed.catch((error: unknown) => error);
    const failing = await client.workflow.getHandle(`${workflowId}/failing`).fetchHistory();
    return { workflowId, result, history, child, failing, failure, dataConverter };
  } finally {
    await worker.stop();
    await client.connection.close();
  }
}
type Tell = (
  workflowId: string,
  handle: { signal(name: string, ...args: unknown[]): Promise<void> },
) => Promise<unknown>;

/** Everything in the folder, as one text. */
function onDisk(directory: string): string {
  return filesIn(directory)
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

/** Lengths of all byte fields anywhere in a history. */
function byteFields(value: unknown): number[] {
  if (value instanceof Uint8Array) return [value.length];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(byteFields);
}

const readable = (value: unknown): boolean => {
  const texts: string[] = [];
  const walk = (each: unknown): void => {
    if (each instanceof Uint8Array) texts.push(Buffer.from(each).toString("latin1"));
    else if (typeof each === "string") texts.push(each);
    else if (typeof each === "object" && each !== null) Object.values(each).forEach(walk);
  };
  walk(value);
  return texts.some((text) => text.includes(SECRET));
};

describe("large payloads", () => {
  it("go to the artifact store, sorted by workflow; the history has references only, and everything comes back", async () => {
    const config = fileConfig();
    const { workflowId, result, history, child, dataConverter } = await converse(config);
    expect(result).toBe(`${large},${large}`);
    for (const each of [history, child]) expect(Math.max(...byteFields(each))).toBeLessThan(THRESHOLD);
    expect(readable(history)).toBe(false);
    const store = createFileArtifacts(config.directory);
    expect([...(await workflowsWithPayloads(store, "default"))].toSorted()).toEqual(
      expect.arrayContaining([workflowId, `${workflowId}/child`]),
    );
    // A replay reads them, too.
    const quiet = new DefaultLogger("ERROR");
    const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: quiet });
    await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, workflowId);
  }, 60_000);

  it("that are missing are named, with where they should be", async () => {
    const config = fileConfig();
    const { workflowId } = await converse(config);
    const store = createFileArtifacts(config.directory);
    await removePayloads(store, "default", workflowId);
    const client = await temporalClient({ dataConverter: dataConverterFor(config) });
    await expect(client.workflow.getHandle(workflowId).result()).rejects.toThrow(
      /payloads\/v0\/ns\/default\/wt\/conversation\/wi\/issue%2Facme%2Fshop%2F[^ ]* is not in the store/,
    );
    // Those of the other workflow are there still.
    expect([...(await workflowsWithPayloads(store, "default"))]).toEqual([`${workflowId}/child`]);
    await client.connection.close();
  }, 60_000);

  it("go to S3 by Temporal's own driver where the artifacts do", async () => {
    const server = await startS3();
    try {
      const options = server.options("mergewright");
      const config: PayloadConfig = {
        artifacts: { kind: "s3", url: "s3://b/mergewright", ...options },
        payloadKeys: [key("k")],
        inlinePayloadBytes: THRESHOLD,
      };
      const { workflowId, result, history } = await converse(config);
      expect(result).toBe(`${large},${large}`);
      expect(Math.max(...byteFields(history))).toBeLessThan(THRESHOLD);
      const store = createS3Artifacts(options);
      expect([...(await workflowsWithPayloads(store, "default"))]).toContain(workflowId);
      await removePayloads(store, "default", workflowId);
      expect([...(await workflowsWithPayloads(store, "default"))]).toEqual([`${workflowId}/child`]);
    } finally {
      await server.stop();
    }
  }, 60_000);
});

describe("with a key", () => {
  it("nothing can be read in the history or on the disk, also of errors; and everything comes back", async () => {
    const config = fileConfig([key("k1")]);
    const { result, history, child, failing, failure } = await converse(config);
    expect(result).toBe(`${large},${large}`);
    for (const each of [history, child, failing]) expect(readable(each)).toBe(false);
    expect(filesIn(config.directory).length).toBeGreaterThan(2);
    expect(onDisk(config.directory)).not.toContain(SECRET);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect(String((failure as WorkflowFailedError).cause?.cause)).toContain(`It went wrong: ${SECRET}`);
  }, 60_000);

  it("a rotated one still reads what the old one wrote; without the old one the error names it", async () => {
    const [old, fresh] = [key("old"), key("fresh")];
    const config = fileConfig([old]);
    const { workflowId } = await converse(config);
    const resultWith = async (payloadKeys: PayloadKey[]) => {
      const client = await temporalClient({ dataConverter: dataConverterFor({ ...config, payloadKeys }) });
      try {
        return (await client.workflow.getHandle(workflowId).result()) as string;
      } finally {
        await client.connection.close();
      }
    };
    expect(await resultWith([fresh, old])).toBe(`${large},${large}`);
    await expect(resultWith([fresh])).rejects.toThrow(/key old, which is not here \(set here: fresh\)/);
    await expect(resultWith([])).rejects.toThrow(/key old, which is not here \(no key is set here\)/);
    await expect(resultWith([{ ...fresh, id: "old" }])).rejects.toThrow(/cannot be decrypted with the key old/);
  }, 60_000);

  it("a signal in plain JSON from the temporal command line is understood", async () => {
    const told = "told by hand";
    const { result } = await converse(fileConfig([key("k1")]), {
      signal: (workflowId) =>
        promisify(execFile)(
          temporalCli(),
          ["workflow", "signal", "--address", temporalAddress(), "--workflow-id", workflowId].concat(
            "--name",
            "said",
            "--input",
            JSON.stringify({ text: told }),
          ),
        ),
    });
    expect(result.split(",").toSorted()).toEqual([large, told].toSorted());
  }, 60_000);

  it("a run that began before it was set goes on", async () => {
    const config = fileConfig();
    const { workflowId } = await converse(config);
    const client = await temporalClient({ dataConverter: dataConverterFor({ ...config, payloadKeys: [key("new")] }) });
    expect(await client.workflow.getHandle(workflowId).result()).toBe(`${large},${large}`);
    await client.connection.close();
  }, 60_000);

  it("a payload on the disk that was changed is refused", async () => {
    const config = fileConfig([key("k1")]);
    const { workflowId } = await converse(config);
    for (const path of filesIn(config.directory)) {
      const content = readFileSync(path);
      content[content.length - 5]! ^= 1;
      writeFileSync(path, content);
    }
    const client = await temporalClient({ dataConverter: dataConverterFor(config) });
    await expect(client.workflow.getHandle(workflowId).result()).rejects.toThrow(/is not what was stored/);
    await client.connection.close();
  }, 60_000);
});
