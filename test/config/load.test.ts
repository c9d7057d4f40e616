import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig, type LoadOptions } from "../../config/load.ts";
import { ConfigurationError } from "../../domain/errors.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "mw-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function load(env: Record<string, string> = {}, yaml?: string, more: Partial<LoadOptions> = {}) {
  if (yaml !== undefined) writeFileSync(join(cwd, "mergewright.yaml"), yaml);
  return loadConfig({ env, cwd, ...more });
}

function problems(env: Record<string, string> = {}, yaml?: string, more: Partial<LoadOptions> = {}): readonly string[] {
  try {
    load(env, yaml, more);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

describe("without any configuration", () => {
  it("everything has a default, and nothing outside is needed", () => {
    const config = load();
    expect(config).toMatchObject({
      home: join(cwd, ".mergewright"),
      file: null,
      host: "127.0.0.1",
      port: 8000,
      logLevel: "info",
      temporal: { address: null, namespace: "default", apiKey: null, tls: false },
      github: {
        apiUrl: "https://api.github.com",
        graphqlUrl: "https://api.github.com/graphql",
        auth: null,
        webhookSecret: null,
      },
      anthropic: { apiKey: null, baseUrl: null },
      execution: { mode: "docker" },
      artifacts: { kind: "file", directory: join(cwd, ".mergewright", "artifacts") },
      warnings: [],
    });
    expect(config.secrets()).toEqual([]);
    expect(config.triggers.label).toBe("mergewright");
    expect(config.settingsFor("octo/hello")).toMatchObject({ require_review: true, auto_merge: false });
  });

  it("an empty variable is one that is not set", () => {
    expect(load({ TEMPORAL_ADDRESS: "", PORT: " ", EXECUTION_MODE: "" }).temporal.address).toBeNull();
  });
});

describe("what a command needs", () => {
  it.each([
    [["claude"], {}, ["ANTHROPIC_API_KEY"]],
    [["claude", "github"], {}, ["ANTHROPIC_API_KEY", "GITHUB_TOKEN"]],
    [["claude", "github"], { ANTHROPIC_API_KEY: "k", GITHUB_TOKEN: "t" }, []],
    [["github"], { GITHUB_APP_ID: "12", GITHUB_APP_PRIVATE_KEY: privateKey }, []],
    [["webhook-secret"], { WEBHOOK_SECRET: "a secret" }, []],
  ] as const)("%j with %j lacks %j", (needs, env, names) => {
    expect(problems({ ...env }, undefined, { needs }).map((line) => line.split(":")[0])).toEqual(names);
  });

  it("a key that is there but wrong is not also called missing", () => {
    expect(problems({ GITHUB_TOKEN: "two words" }, undefined, { needs: ["github"] })).toHaveLength(1);
  });
});

describe("the environment", () => {
  it.each([
    ["EXECUTION_MODE", "local_python", { execution: { mode: "local" } }],
    ["EXECUTION_MODE", "LOCAL", { execution: { mode: "local" } }],
    ["EXECUTION_MODE", "docker", { execution: { mode: "docker" } }],
    ["TEMPORAL_ADDRESS", "temporal:7233", { temporal: { address: "temporal:7233" } }],
    ["TEMPORAL_ADDRESS", "temporal", { temporal: { address: "temporal:7233" } }],
    ["TEMPORAL_ADDRESS", "[::1]:7000", { temporal: { address: "[::1]:7000" } }],
    ["TEMPORAL_API_KEY", "key", { temporal: { apiKey: "key", tls: true } }],
    [
      "GITHUB_API_URL",
      "https://git.example.com/api/v3/",
      { github: { graphqlUrl: "https://git.example.com/api/graphql" } },
    ],
    ["GITHUB_API_URL", "http://127.0.0.1:9999", { github: { graphqlUrl: "http://127.0.0.1:9999/graphql" } }],
    ["GITHUB_GRAPHQL_URL", "http://127.0.0.1:1/g", { github: { graphqlUrl: "http://127.0.0.1:1/g" } }],
    ["WEBHOOK_SECRET", "under its other name", { github: { webhookSecret: "under its other name" } }],
    [
      "ARTIFACTS_URL",
      "s3://bucket/some/prefix/",
      { artifacts: { kind: "s3", bucket: "bucket", prefix: "some/prefix" } },
    ],
    ["ARTIFACTS_URL", "file:///var/lib/mw", { artifacts: { kind: "file", directory: "/var/lib/mw" } }],
    ["LOG_LEVEL", "WARNING", { logLevel: "warn" }],
    ["PORT", "0", { port: 0 }],
    ["CPU_LIMIT", "1.5", { execution: { cpus: 1.5 } }],
    ["MEMORY_LIMIT", "2Gi", { execution: { memory: "2Gi" } }],
    [
      "QDRANT_URL",
      "http://localhost:6333/",
      { qdrant: { url: "http://localhost:6333", apiKey: null, collection: null } },
    ],
  ])("%s=%s is understood", (name, value, expected) => {
    expect(load({ [name]: value })).toMatchObject(expected);
  });

  it.each([
    ["QDRANT_COLLECTION", "team/a", /"team\/a" cannot be a name there.*letters, digits/],
    ["QDRANT_COLLECTION", "-a", /cannot be a name/],
    ["QDRANT_COLLECTION", "a".repeat(101), /1 to 100/],
    ["QDRANT_COLLECTION", "team-dense-768", /not ending with -dense-NUMBER/],
    ["EXECUTION_MODE", "mcp_server", /not available in this version/],
    ["EXECUTION_MODE", "remote_server", /needs DOCKER_HOST/],
    ["EXECUTION_MODE", "dokcer", /Did you mean docker\?/],
    ["TEMPORAL_ADDRESS", "http://temporal:7233", /without http/],
    ["TEMPORAL_ADDRESS", "temporal:99999", /not a port/],
    ["TEMPORAL_TLS_CERT", "-----BEGIN CERTIFICATE-----", /TEMPORAL_TLS_KEY: it is missing/],
    ["GITHUB_APP_ID", "Iv1.abc", /is not a number/],
    ["GITHUB_APP_PRIVATE_KEY", "missing.pem", /GITHUB_APP_ID: it is missing/],
    ["GITHUB_API_URL", "api.github.com", /Write it in full/],
    ["ANTHROPIC_API_KEY", "sk-ant\nsecond line", /in one piece/],
    ["EMBEDDINGS_URL", "http://localhost:1", /EMBEDDINGS_MODEL: it is missing/],
    ["EMBEDDINGS_MODEL", "some-model", /EMBEDDINGS_URL: it is missing/],
    ["DOCKER_HOST", "10.0.0.5", /is not an engine's address/],
    ["DOCKER_HOST", "ssh://me@10.0.0.5", /ssh:\/\/ is not spoken. Write unix:/],
    ["DOCKER_IMAGE", "--privileged", /not an image's name/],
    ["MEMORY_LIMIT", "much", /such as 512m/],
    ["CPU_LIMIT", "-1", /such as 2 or 1.5/],
    ["CPU_LIMIT", "NaN", /such as 2 or 1.5/],
    ["ARTIFACTS_URL", "file://host/dir", /file:\/\/\/absolute/],
    ["ARTIFACTS_URL", "ftp://x", /s3:\/\/bucket/],
    ["S3_ENDPOINT", "minio:9000", /must begin with https/],
    ["HOST", "0.0.0.0:80/x", /not a host name/],
    ["PORT", "80 80", /not a port/],
    ["PORT", "65536", /not a port/],
    ["LOG_LEVEL", "loud", /Write one of/],
    ["MERGEWRIGHT_PAYLOAD_KEY", "short", /openssl rand/],
    ["MERGEWRIGHT_PAYLOAD_KEY", `a:${"k".repeat(40)},a:${"l".repeat(40)}`, /the id a is there twice/],
    ["MERGEWRIGHT_PAYLOAD_KEY", `a b:${"k".repeat(40)}`, /in one piece/],
    ["MERGEWRIGHT_CONFIG", "not-there.yaml", /there is no file not-there.yaml/],
  ])("%s=%j is refused with what to write", (name, value, told) => {
    expect(problems({ [name]: value }).join("\n")).toMatch(told);
  });

  it("all that is wrong is told at once", () => {
    expect(
      problems(
        { PORT: "x", LOG_LEVEL: "x", CPU_LIMIT: "x", GITHUB_APP_ID: "1" },
        "auto_merge: maybe\nlimits: { turns: 0 }\n",
      ),
    ).toHaveLength(6);
  });

  it("a command that would outlive its step is refused", () => {
    const told = problems({}, "limits: { command_seconds: 18001, test_minutes: 300.5 }\n");
    expect(told).toEqual([
      expect.stringMatching(/limits\.command_seconds: 18001 .* up to 18000/),
      expect.stringMatching(/limits\.test_minutes: 300\.5 .* up to 300/),
    ]);
    expect(problems({}, "limits: { command_seconds: 18000, test_minutes: 300 }\n")).toEqual([]);
  });

  it("a problem with a key does not repeat the key", () => {
    const told = problems({
      ANTHROPIC_API_KEY: "sk-ant-very secret",
      GITHUB_APP_ID: "1",
      GITHUB_APP_PRIVATE_KEY: "-----BEGIN half",
    });
    expect(told.join("\n")).not.toMatch(/very|half/);
  });

  it("a misspelt name of ours is a warning", () => {
    expect(load({ MERGEWRIGHT_HOEM: "x" }).warnings).toEqual([
      expect.stringContaining("did you mean MERGEWRIGHT_HOME?"),
    ]);
  });

  it("an S3 service that no artifacts go to is a warning", () => {
    const env = { S3_ENDPOINT: "https://minio.example.com" };
    expect(load(env).warnings).toEqual([expect.stringContaining("S3_ENDPOINT is not used")]);
    expect(load({ ...env, ARTIFACTS_URL: "file:///shared/artifacts" }).warnings).toEqual([
      expect.stringContaining("artifacts go into file:///shared/artifacts"),
    ]);
    expect(load({ ...env, ARTIFACTS_URL: "s3://bucket/prefix" }).warnings).toEqual([]);
  });

  it("without an API token the server stays on loopback, whatever HOST says", () => {
    const config = load({ HOST: "0.0.0.0" });
    expect(config.host).toBe("127.0.0.1");
    expect(config.warnings).toEqual([expect.stringContaining("MERGEWRIGHT_API_TOKEN")]);
    expect(load({ HOST: "0.0.0.0", MERGEWRIGHT_API_TOKEN: "t" }).host).toBe("0.0.0.0");
  });

  it.each([
    ["as text", privateKey],
    ["with \\n written out", privateKey.replaceAll("\n", "\\n")],
    ["as a path", "app.pem"],
  ])("an App's private key may be given %s", (_, value) => {
    writeFileSync(join(cwd, "app.pem"), privateKey);
    const { auth } = load({ GITHUB_APP_ID: "42", GITHUB_APP_PRIVATE_KEY: value }).github;
    expect(auth).toEqual({ kind: "app", appId: 42, privateKey: privateKey });
  });

  it("the command line wins over the environment", () => {
    expect(load({ PORT: "1" }, undefined, { args: { PORT: "2" } }).port).toBe(2);
  });
});

describe("a .env file", () => {
  it("is read, and the process wins over it", () => {
    writeFileSync(
      join(cwd, ".env"),
      `# keys\nexport GITHUB_TOKEN=from-file # mine\nANTHROPIC_API_KEY='sk-quoted'\nPORT=1\nGITHUB_APP_ID=5\nGITHUB_APP_PRIVATE_KEY="${privateKey.replaceAll("\n", "\\n")}"\n`,
    );
    const config = load({ PORT: "9" });
    expect(config).toMatchObject({
      port: 9,
      anthropic: { apiKey: "sk-quoted" },
      github: { auth: { kind: "app", appId: 5 } },
    });
    expect(config.secrets()).toContain("from-file");
  });

  it("may hold a key over several lines", () => {
    writeFileSync(join(cwd, ".env"), `GITHUB_APP_ID=5\nGITHUB_APP_PRIVATE_KEY="${privateKey}"\nPORT=77\n`);
    expect(load()).toMatchObject({ port: 77, github: { auth: { privateKey } } });
  });

  it("a malformed line is told with its number", () => {
    writeFileSync(join(cwd, ".env"), `PORT=1\nwhat is this\nHOST="never closed\n`);
    expect(problems()).toEqual([expect.stringMatching(/^\.env:2:1: /), expect.stringMatching(/^\.env:3:1: .*HOST/)]);
  });
});

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

describe("secrets()", () => {
  it("knows every secret value of the configuration", () => {
    const env = {
      ANTHROPIC_API_KEY: "secret-a",
      GITHUB_TOKEN: "secret-b",
      GITHUB_WEBHOOK_SECRET: "secret-c",
      TEMPORAL_API_KEY: "secret-d",
      QDRANT_URL: "https://user:secret-e@qdrant.example.com",
      QDRANT_API_KEY: "secret-f",
      EMBEDDINGS_URL: "https://e.example.com",
      EMBEDDINGS_MODEL: "m",
      EMBEDDINGS_API_KEY: "secret-g",
      MERGEWRIGHT_API_TOKEN: "secret-h",
      MERGEWRIGHT_PAYLOAD_KEY: "secret-i".repeat(4),
      AWS_SECRET_ACCESS_KEY: "secret-j",
    };
    const known = load(env).secrets();
    for (const letter of "abcdefghj") expect(known).toContain(`secret-${letter}`);
    expect(known).toContain("secret-i".repeat(4));
  });
});
