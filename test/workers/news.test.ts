/** A run that looks on GitHub for what it missed takes it by the same rules as the webhooks. */
import { MockActivityEnvironment } from "@temporalio/testing";
import { expect, it } from "vitest";
import { createNews } from "../../activities/news.ts";
import type { IssueEvent } from "../../domain/events.ts";
import type { Forge } from "../../domain/ports.ts";
import { RepositorySettings, Triggers } from "../../domain/settings.ts";

const at = "2026-01-02T03:04:05.000Z";
const run = { runKey: "0123456789abcdef", id: "issue/acme/shop/5", repository: "acme/shop", issue: 5 };
const issue = {
  repository: "acme/shop",
  number: 5,
  title: "t",
  body: "b",
  author: "ada",
  labels: [],
  url: "u",
  state: "open",
};
const comments = ["remember Use tabs.", "pause"].map((said, id) => ({
  id,
  by: { login: "mara", id: 7, isBot: false },
  body: `/mergewright ${said}`,
  at,
}));
const forge = { issue: async () => issue, newComments: async () => comments } as unknown as Forge;

function newsWith(memory: { enabled: boolean }): Promise<IssueEvent[]> {
  const settingsFor = () => ({ ...RepositorySettings.parse({ memory }), prices: {} });
  const { readNews } = createNews({ forge, triggers: Triggers.parse({}), settingsFor });
  return new MockActivityEnvironment().run(() => readNews({ run, pullRequest: null, since: at })) as Promise<
    IssueEvent[]
  >;
}

it.each([
  [true, ["remember", "pause"]],
  [false, ["pause"]],
])("What people teach is news only where something is remembered (memory.enabled: %s)", async (enabled, verbs) => {
  const news = await newsWith({ enabled });
  expect(news.map((event) => event.kind === "command" && event.command.verb)).toEqual(verbs);
});
