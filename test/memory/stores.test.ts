import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import { storeContract } from "./contract.ts";
import { playQdrant, type PlayedQdrant } from "./played-qdrant.ts";

let folder: string;
let played: PlayedQdrant;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mergewright-memory-"));
  played = await playQdrant({ apiKey: "secret-key" });
});
afterAll(async () => {
  await played.close();
  await rm(folder, { recursive: true, force: true });
});

storeContract("The embedded store", () => Promise.resolve(openEmbeddedStore(join(folder, "deep", "memory.db"))));
storeContract("Qdrant, played by its description,", () =>
  Promise.resolve(openQdrantStore({ url: played.url, apiKey: "secret-key" })),
);

storeContract("Qdrant with a collection of its own", () =>
  Promise.resolve(openQdrantStore({ url: played.url, apiKey: "secret-key", collection: "team_a-1" })),
);

const { QDRANT_URL: url, QDRANT_API_KEY: apiKey } = process.env;
if (url) storeContract("A real Qdrant", () => Promise.resolve(openQdrantStore({ url, apiKey: apiKey ?? null })));
