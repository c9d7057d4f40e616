/** What stands in `mergewright.yaml`, and what is told of it. */
import { describe, expect, it } from "vitest";
import { load, problems } from "./support.ts";

describe("mergewright.yaml", () => {
  it("many mistakes are all told, each with its place and what to write", () => {
    const told = problems(
      {},
      [
        "auto_coment: true",
        "turns: 5",
        "merge_method: sqash",
        "limits:",
        '  turns: "150"',
        "  minutes: -1",
        "  auto_merge: true",
        "add_labels: 5",
        "policy: { protected_paths: [1] }",
        "sandbox: { memory: lots }",
        "models: { coder: some-model }",
        "triggers: { allowed_bots: [renovate] }",
        "prices_as_of: yesterday",
        "tenants:",
        "  acme: { webhook_secret: { env: NOT_SET } }",
        "repositories:",
        "  octo/one: { limits: { turns: nine }, triggers: {} }",
        "  no-owner: {}",
      ].join("\n"),
    );
    for (const expected of [
      "mergewright.yaml:1:1: auto_coment: there is no such setting. Did you mean `auto_comment`?",
      "mergewright.yaml:2:1: turns: it belongs into the section `limits:`. Move it there, indented.",
      'mergewright.yaml:3:1: merge_method: "sqash" will not do. Write one of merge, squash, rebase, for instance `merge_method: squash`.',
      'mergewright.yaml:5:3: limits.turns: "150" will not do. Write a whole number above 0, for instance `turns: 150`.',
      "mergewright.yaml:6:3: limits.minutes: -1 will not do. Write a number above 0, for instance `minutes: 120`.",
      "mergewright.yaml:7:3: limits.auto_merge: it does not belong into this section. Move it to the top level.",
      "mergewright.yaml:8:1: add_labels: 5 will not do. Write true or false, or a list of texts, for instance `add_labels: true`.",
      "mergewright.yaml:9:29: policy.protected_paths.0: 1 will not do. Write a text.",
      'mergewright.yaml:10:12: sandbox.memory: "lots" will not do. Write a size such as 512m or 2g.',
      'mergewright.yaml:12:28: triggers.allowed_bots.0: "renovate" will not do. Write a whole number above 0.',
      'mergewright.yaml:13:1: prices_as_of: "yesterday" will not do. Write a day as YYYY-MM-DD, for instance `prices_as_of: 2026-11-20`.',
      "mergewright.yaml:15:11: tenants.acme.webhook_secret: the environment variable NOT_SET is not set. Set it, or remove this line.",
      'mergewright.yaml:17:25: repositories.octo/one.limits.turns: "nine" will not do. Write a whole number above 0, for instance `turns: 150`.',
      "mergewright.yaml:17:40: repositories.octo/one.triggers: it holds for all repositories. Move it to the top level.",
      'mergewright.yaml:18:3: repositories.no-owner: the name "no-owner" is not acceptable. Write owner/name, as GitHub has it.',
    ]) {
      expect(told).toContain(expected);
    }
    expect(told.join("\n")).toContain("models.coder: the model some-model has no price");
    expect(told).toHaveLength(16);
  });

  it.each([
    ["a: [1", "this is not valid YAML"],
    ["auto_merge: true\nauto_merge: false\n", "stands in the file twice"],
    ["- a list", "this is not a set of settings"],
    ["just words", "this is not a set of settings"],
    ["limits: 5", "limits: 5 will not do. Write a section"],
    ["limits: *nowhere", "nowhere"],
    ["__proto__: { polluted: true }", "__proto__: there is no such setting"],
    ["repositories: { a/b: { __proto__: { x: 1 } } }", "repositories.a/b.__proto__: there is no such setting"],
    ["repositories: { a/b: {}, A/B: {} }", "is there twice"],
    ["limits: { budget_usd: .nan }", "limits.budget_usd: NaN will not do"],
    ["limits: { budget_usd: .inf }", "limits.budget_usd: Infinity will not do"],
    ["priority_labels: { urgent: 9 }", "priority_labels.urgent: 9 will not do. Write a whole number from 1 to 5."],
    ["memory: { similarity_threshold: 3 }", "3 will not do. Write a number from 0 to 1"],
    ["storage: { inline_bytes: 9000000 }", "9000000 will not do. Write a whole number from 1024 to 1048576"],
    ["auto_merge: true\n---\nauto_merge: false\n", "mergewright.yaml:2:1: a second document begins here"],
  ])("%j is refused", (yaml, told) => {
    expect(problems({}, yaml).join("\n")).toContain(told);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  const sections = ["issue_changes", "limits", "memory", "priority_labels", "triggers", "repositories"];
  it.each(["", "# nothing but a comment\n", `${sections.join(":\n")}:\n  a/b:\n    memory:\n`])(
    "%j leaves everything as by default",
    (yaml) => {
      expect(load({}, yaml).settingsFor("a/b")).toEqual(load().settingsFor("a/b"));
    },
  );

  it("a repository has its own settings over those of all, in whatever case it is asked for", () => {
    const config = load(
      {},
      "auto_comment: false\nlimits: { turns: 9, minutes: 5 }\nrepositories:\n  Octo/Hello:\n    limits: { turns: 3 }\n    test_command: make test\n",
    );
    expect(config.settingsFor("octo/hello")).toMatchObject({
      auto_comment: false,
      test_command: "make test",
      limits: { turns: 3, minutes: 5 },
    });
    expect(config.settingsFor("octo/other")).toMatchObject({ limits: { turns: 9, minutes: 5 } });
    expect(config.settingsFor("octo/other")).not.toHaveProperty("test_command");
    expect(config.repositories).toEqual(["Octo/Hello"]);
  });

  it("settings are plain data that travels with a run, and nobody else's", () => {
    const config = load();
    const settings = config.settingsFor("a/b");
    expect(JSON.parse(JSON.stringify(settings))).toEqual(settings);
    settings.limits.turns = 1;
    expect(config.settingsFor("a/b").limits.turns).toBe(150);
  });

  it("a tenant's secrets come from variables, and a secret in the file itself is a warning", () => {
    const config = load(
      { ACME_SECRET: "acme-secret", ACME_KEY: "acme-key" },
      "tenants:\n  Acme:\n    webhook_secret: { env: ACME_SECRET }\n    anthropic_api_key: { env: ACME_KEY }\n    github_token: plain-token\n",
    );
    expect(config.tenants.get("acme")).toEqual({
      owner: "Acme",
      webhookSecret: "acme-secret",
      anthropicApiKey: "acme-key",
      githubAuth: { kind: "token", token: "plain-token" },
    });
    expect(config.warnings).toEqual([expect.stringContaining("mergewright.yaml:5:5: tenants.Acme.github_token")]);
    expect(config.secrets()).toEqual(expect.arrayContaining(["acme-secret", "acme-key", "plain-token"]));
  });

  it("a command that would outlive its step is refused", () => {
    const told = problems({}, "limits: { command_seconds: 18001, test_minutes: 300.5 }\n");
    expect(told).toEqual([
      expect.stringMatching(/limits\.command_seconds: 18001 .* up to 18000/),
      expect.stringMatching(/limits\.test_minutes: 300\.5 .* up to 300/),
    ]);
    expect(problems({}, "limits: { command_seconds: 18000, test_minutes: 300 }\n")).toEqual([]);
  });
});

describe("models and prices", () => {
  it("ANTHROPIC_MODEL is every role's model, in every repository", () => {
    const config = load(
      { ANTHROPIC_MODEL: "claude-opus-5-5" },
      "repositories: { a/b: { models: { coder: claude-haiku-5-5 } } }",
    );
    for (const repository of ["a/b", "c/d"]) {
      expect(new Set(Object.values(config.settingsFor(repository).models))).toEqual(new Set(["claude-opus-5-5"]));
    }
  });

  it("an unknown model from ANTHROPIC_MODEL is reckoned at the highest price, with a warning", () => {
    const config = load({ ANTHROPIC_MODEL: "claude-next" });
    const { prices } = config.settingsFor("a/b");
    expect(prices["claude-next"]!.output).toBe(Math.max(...Object.values(prices).map((price) => price.output)));
    expect(config.warnings).toEqual([expect.stringContaining("claude-next has no price")]);
  });

  it("a dated name of a known model has its price", () => {
    const { prices } = load({ ANTHROPIC_MODEL: "claude-sonnet-5-5-20260901" }).settingsFor("a/b");
    expect(prices["claude-sonnet-5-5-20260901"]).toEqual(prices["claude-sonnet-5-5"]);
  });

  it("a price in the file is added to the known ones", () => {
    const price = { input: 1, output: 2, cache_read: 0, cache_write: 3 };
    const { prices } = load({}, `models: { coder: mine }\nprices: { mine: ${JSON.stringify(price)} }\n`).settingsFor(
      "a/b",
    );
    expect(prices.mine).toEqual(price);
    expect(prices["claude-opus-5-5"]).toBeDefined();
  });
});
