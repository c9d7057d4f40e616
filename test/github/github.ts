/** A played GitHub with a small repository and an adapter that speaks to it over a watched wire. */
import { generateKeyPairSync } from "node:crypto";
import { expect, onTestFinished } from "vitest";
import { createForge, type ForgeOptions } from "../../activities/adapters/github/forge.ts";
import { people, type People } from "../../demo/github/people.ts";
import { type GitHubOptions, type PlayedGitHub, startGitHub } from "../../demo/github/server.ts";
import type { Forge } from "../../domain/ports.ts";
import { watchWire, type Wire } from "./openapi/wire.ts";

export const REPOSITORY = "acme/widget";
export const BRANCH = "mergewright/issue-1";

export interface Setting {
  server: PlayedGitHub;
  people: People;
  forge: Forge;
  wire: Wire;
  options: ForgeOptions;
}

/** `maint` writes, `bot` is us, `reader` and `stranger` may only read. Ends with the test. */
export async function setting(seed: GitHubOptions = {}, override: Partial<ForgeOptions> = {}): Promise<Setting> {
  const server = await startGitHub({
    accounts: [{ login: "maint" }, { login: "bot" }, { login: "reader" }, { login: "stranger" }],
    repositories: [
      {
        name: REPOSITORY,
        permissions: { maint: "maintain", bot: "write", reader: "read" },
        files: { "a.txt": "one\n" },
      },
    ],
    ...seed,
  });
  const wire = watchWire();
  onTestFinished(async () => {
    await server.close();
    expect(wire.faults).toEqual([]);
  });
  const options = forgeOptions(server, wire, { auth: { kind: "token", token: "played-bot" }, ...override });
  const watched = people(server.url, ((url: string, init: RequestInit) => wire.fetch(url, init)) as typeof fetch);
  return { server, people: watched, forge: createForge(options), wire, options };
}

export function forgeOptions(server: PlayedGitHub, wire: Wire, override: Partial<ForgeOptions>): ForgeOptions {
  return {
    apiUrl: server.apiUrl,
    graphqlUrl: server.graphqlUrl,
    auth: { kind: "token", token: "played-bot" },
    tenant: "acme",
    log: { debug: () => undefined, warn: () => undefined },
    fetch: wire.fetch,
    writeSpacingMs: 0,
    ...override,
  };
}

export interface Key {
  publicKey: string;
  privateKey: string;
}

export function makeKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privateKey: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
  };
}

/** An open pull request of ours that closes issue 1, its number and head. */
export async function openedPull(
  { people: on, forge }: Setting,
  draft = false,
): Promise<{ number: number; sha: string }> {
  await on.as("reader").openIssue(REPOSITORY, { title: "It is wrong", body: "See a.txt" });
  const { sha } = await on.push({
    as: "bot",
    repository: REPOSITORY,
    branch: BRANCH,
    files: { "a.txt": "two\n" },
    onto: "main",
  });
  const pull = await forge.openPullRequest(REPOSITORY, {
    head: BRANCH,
    base: "main",
    title: "Make it right",
    body: "Closes #1",
    draft,
  });
  return { number: pull.number, sha };
}

/** How often the server was asked this, faults included. */
export async function asked(on: People, method: string, path: RegExp): Promise<number> {
  return (await on.requests()).filter((request) => request.method === method && path.test(request.path)).length;
}
