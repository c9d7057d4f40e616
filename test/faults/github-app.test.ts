/** Mergewright as a GitHub App whose token ends, and whose installation is taken away. About 40 s alone. */
import { generateKeyPairSync } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stage } from "../../demo/stage.ts";
import { reaches, signal, until } from "../e2e/support.ts";
import { approve, asksApproval, fault, merged, rowsStage, rowStory, startRow, struck } from "./github-rows.ts";

const LIMIT_MS = 240_000;
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = keys.publicKey.export({ type: "spki", format: "pem" }).toString();
const privateKey = keys.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const SLUG = "mergewright-demo";

const rows = rowsStage(undefined, {
  app: { publicKey, privateKey },
  scenarios: [rowStory("B10app"), rowStory("B10rotated"), rowStory("B11app")],
});
let stage: Stage;
beforeAll(() => {
  stage = rows();
});

// One after the other: both concern the one installation.
describe("As a GitHub App", () => {
  it(
    "B10: a token whose hour is over in the middle of a run is minted anew, once",
    async () => {
      const row = await startRow(stage, "B10app");
      const run = await asksApproval(row);
      const minted = await mintings();
      await stage.github.people.expireInstallationTokens();
      await approve(row, run);
      await merged(row);
      expect(await mintings()).toBe(minted + 1);
    },
    LIMIT_MS,
  );

  it(
    "B10: a key that was rotated is tried once more, parks the run with the reason, and goes on when it is mended",
    async () => {
      const row = await startRow(stage, "B10rotated");
      const run = await asksApproval(row);
      const { people } = stage.github;
      const body = { message: "A JSON web token could not be decoded" };
      const slow = await fault(row, { method: "PUT", path: "/pulls/\\d+/merge$", status: 502, delayMs: 1_000 });
      await approve(row, run);
      await until("the merge is on its way", async () => (await struck(row, slow)) === 1);
      await people.fault({ method: "POST", path: "/access_tokens$", status: 401, body, times: 1_000 });
      await people.expireInstallationTokens();
      const parked = await reaches(row.stage, row.issue, "its parking", (now) => now.waitingFor?.kind === "operator");
      expect(parked.waitingFor?.detail).toMatch(/could not be decoded.*Is the token or App key still valid/);
      // The progress comment beside the story may have asked on its own account; from then on nobody asks.
      await sleep(3_000);
      const asked = await mintings();
      await sleep(5_000);
      expect(await mintings()).toBe(asked);
      await people.clearFaults();
      await signal(row.stage, row.issue, "resume", {});
      await merged(row);
    },
    LIMIT_MS,
  );

  it(
    "B11: an installation that is taken away parks the run with the reason, and resume goes on when it is back",
    async () => {
      const row = await startRow(stage, "B11app");
      const run = await asksApproval(row);
      const { people } = stage.github;
      const owner = row.repository.split("/")[0]!;
      const slow = await fault(row, { method: "PUT", path: "/pulls/\\d+/merge$", status: 502, delayMs: 1_000 });
      await approve(row, run);
      await until("the merge is on its way", async () => (await struck(row, slow)) === 1);
      await people.removeInstallations(owner);
      await people.expireInstallationTokens();
      const parked = await reaches(row.stage, row.issue, "its parking", (now) => now.waitingFor?.kind === "operator");
      expect(parked.waitingFor?.detail).toContain("is not installed on");
      await people.addApp({ slug: SLUG, publicKey, installedOn: [owner] });
      await signal(row.stage, row.issue, "resume", {});
      await merged(row);
    },
    LIMIT_MS,
  );
});

async function mintings(): Promise<number> {
  const all = await stage.github.people.requests();
  return all.filter(({ method, path }) => method === "POST" && path.endsWith("access_tokens")).length;
}
