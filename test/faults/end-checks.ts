/** What must hold at the end of every row, whatever it was about: the process lives, nothing is left over, and no secret has got out. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Stage } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { type Surroundings, until } from "../e2e/support.ts";
import { leftInFolders } from "./harness/left-over.ts";
import { secretsIn } from "./harness/secrets.ts";

/** Closing is asked for when the run has ended, and takes a moment. */
const CLOSED_WITHIN_MS = 30_000;

/** All that Claude was sent on the one stage of this test file. */
const heard: string[] = [];

/** For the options of that stage. */
export const overheard = { onModelRequest: (body: string): void => void heard.push(body) };

/** Beside other rows: of this run no sandbox is left, and no secret can be read outside. */
export async function expectRowEnds(stage: Stage, issue: number): Promise<void> {
  await expectAlive(stage);
  const workflowId = issueWorkflowId(stage.repository, issue);
  await until(
    `no sandbox of ${workflowId} is left`,
    async () => !sandboxNotes(stage).some((note) => note.includes(JSON.stringify(workflowId))),
    CLOSED_WITHIN_MS,
  );
  expectNoSecretOut(stage);
}

/** After the last row, or after the product: no container, no sandbox, no temporary folder, no lock. */
export async function expectNothingLeft(stage: Stage, { containers }: Surroundings): Promise<void> {
  const folders = { temporary: join(stage.folder, "tmp"), below: [stage.home] };
  const left = async (): Promise<string[]> => [
    ...(await containers()),
    ...sandboxNotes(stage),
    ...leftInFolders(folders),
  ];
  await until("nothing is left over", async () => (await left()).length === 0, CLOSED_WITHIN_MS).catch(() => undefined);
  expect(await left()).toEqual([]);
}

async function expectAlive({ product, url }: Stage): Promise<void> {
  expect([product.process.exitCode, product.process.signalCode]).toEqual([null, null]);
  expect((await fetch(`${url}/health`)).status).toBe(200);
}

/** In the log, in anything on GitHub (comments, pull requests, reviews, statuses, what is sent about them), or said to Claude. */
export function expectNoSecretOut({ logFile, folder, secrets }: Stage): void {
  expect(secretsIn({ github: join(folder, "github"), logs: [logFile], texts: heard, secrets })).toEqual([]);
}

/** Those of local sandboxes, each with the run that it is of. */
function sandboxNotes({ home }: Stage): string[] {
  const root = join(home, "sandboxes");
  if (!existsSync(root)) return [];
  return readdirSync(root).flatMap((name) => {
    const note = join(root, name, "sandbox.json");
    return existsSync(note) ? [readFileSync(note, "utf8")] : [name];
  });
}
