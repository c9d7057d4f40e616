/** The environment and the `.env` file, and what is told of them. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cwd, load, problems } from "./support.ts";

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
