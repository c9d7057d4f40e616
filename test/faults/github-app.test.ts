/** Mergewright as a GitHub App whose token ends, and whose installation is taken away. About 40 s alone. */
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeStage, setStage, type Stage } from "../../demo/stage.ts";
import { reaches, signal, surroundings, until } from "../e2e/support.ts";
import { approve, asksApproval, fault, merged, rowStory, startRow, struck } from "./github-rows.ts";

const LIMIT_MS = 240_000;
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = keys.publicKey.export({ type: "spki", format: "pem" }).toString();
const privateKey = keys.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const SLUG = "mergewright-demo";
let stage: Stage;

beforeAll(async () => {
  stage = await setStage({
    repositoryName: "little-duration",
    live: null,
    env: surroundings("local").env,
    app: { publicKey, privateKey },
    scenarios: [rowStory("B10app"), rowStory("B11app")],
  });
}, 120_000);
afterAll(async () => {
  await stage.close();
  await removeStage(stage);
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
