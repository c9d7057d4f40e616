import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../cli/commands.ts";
import { ENVIRONMENT_NAMES } from "../../config/environment.ts";
import { SettingsFile } from "../../config/schema.ts";
import { readDelivery } from "../../domain/delivery.ts";
import { Limits, Triggers } from "../../domain/settings.ts";
import { COMMAND_VERBS } from "../../domain/slash-command.ts";
import { MESSAGE_NAMES } from "../../workflows/messages.ts";
import { searchAttributes } from "../../workflows/search-attributes.ts";
import { settings, settingsTable } from "./settings-table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (name: string) => readFileSync(join(root, name), "utf8");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: root })
  .toString()
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)) && !path.startsWith("demo/repositories/"));

const readme = read("README.md");
const missing = (text: string, words: readonly string[]) => words.filter((word) => !text.includes(word));

describe("README.md names", () => {
  test("every top-level setting, limit and trigger", () => {
    const names = [SettingsFile, Limits, Triggers].flatMap((schema) => Object.keys(schema.shape));
    expect(
      missing(
        readme,
        names.map((name) => `\`${name}\``),
      ),
    ).toEqual([]);
  });

  test("every command of the command line", () => {
    expect(
      missing(
        readme,
        Object.keys(COMMANDS).map((name) => `mergewright ${name}`),
      ),
    ).toEqual([]);
  });

  test("every slash command", () => {
    expect(
      missing(
        readme,
        COMMAND_VERBS.split(", ").map((verb) => `/mergewright ${verb}`),
      ),
    ).toEqual([]);
  });

  test("every message that a run takes by signal or update", () => {
    expect(
      missing(
        readme,
        MESSAGE_NAMES.map((name) => `\`${name}\``),
      ),
    ).toEqual([]);
  });

  test("every webhook event that a run can be about, and no other", () => {
    const row = /<!-- events -->([\s\S]*?)<!-- \/events -->/.exec(readme)?.[1] ?? "";
    const named = [...row.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name!);
    const headers = { guid: "guid", receivedAt: "2026-01-01T00:00:00Z" };
    const known = (name: string) =>
      !JSON.stringify(readDelivery(name, {}, headers)).includes("no run is about the event");
    expect(named.filter((name) => !known(name))).toEqual([]);
    const all = [
      "issues",
      "issue_comment",
      "pull_request",
      "pull_request_review",
      "check_suite",
      "check_run",
      "status",
    ];
    expect(named.toSorted()).toEqual(all.toSorted());
  });
});

describe("docs/configuration.md", () => {
  const path = join(root, "docs/configuration.md");
  const block = /(<!-- settings: written by test\/docs -->\n)[\s\S]*?(\n<!-- \/settings -->)/;

  test("holds the table of settings as the schema has it (UPDATE_DOCS=1 writes it)", () => {
    const wanted = readFileSync(path, "utf8").replace(
      block,
      (_, begin: string, end: string) => begin + settingsTable() + end,
    );
    if (process.env["UPDATE_DOCS"]) writeFileSync(path, wanted);
    expect(readFileSync(path, "utf8")).toBe(wanted);
    expect(wanted).toContain(`\`${settings()[0]!.name}\``);
  });

  test("names every environment variable", () => {
    expect(
      missing(
        read("docs/configuration.md"),
        ENVIRONMENT_NAMES.map((name) => `\`${name}\``),
      ),
    ).toEqual([]);
  });
});

test("docs/operating.md names every search attribute", () => {
  expect(
    missing(
      read("docs/operating.md"),
      searchAttributes.map(({ name }) => name),
    ),
  ).toEqual([]);
});

describe.each(tracked)("%s", (path) => {
  const text = read(path);

  test("links only to files that are there", () => {
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
    expect(links.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });

  test("names no machine's own paths", () => {
    expect(text).not.toMatch(/\/(?:root|home\/\w+|work\/main)\b/);
  });
});

const rooms = [
  "activities",
  "activities/adapters",
  "agents",
  "api",
  "cli",
  "config",
  "demo",
  "deploy",
  "domain",
  "memory",
  "test",
  "workers",
  "workflows",
];
test.each(rooms)("%s/README.md says when one needs to touch it", (room) => {
  expect(read(`${room}/README.md`).split("\n").slice(2, 5).join("\n")).toMatch(/^When do you need to touch this\?/);
});

test.each(["run-page.png", "temporal-web-ui.png"])("the picture %s stays below 300 kB", (name) => {
  expect(statSync(join(root, "docs/images", name)).size).toBeLessThan(300_000);
});
