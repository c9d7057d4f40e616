import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { createLog, logOfRun, runFields, temporalLogger } from "../../workers/log.ts";
import { createRedactor } from "../../workers/redact.ts";

function logTo(lines: string[], secrets: string[] = [], pretty = false) {
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  return createLog({ level: "trace", secrets, output, pretty });
}

const SECRET = "s3cr3t/with+odd=chars & more";

describe("the log", () => {
  it("is one JSON document a line, with run and issue", () => {
    const lines: string[] = [];
    logOfRun(logTo(lines), "issue/octo/hello/7/coder/2").info({ turn: 3 }, "a turn is over");
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: "info",
      run: "issue/octo/hello/7",
      issue: "octo/hello#7",
      turn: 3,
      msg: "a turn is over",
    });
    expect(lines[0]).toMatch(/\n$/);
  });

  it("says nothing of a run where there is none", () => {
    expect(runFields("delivery/abc")).toEqual({});
  });

  it.each([
    ["as it is", SECRET],
    ["URL-encoded", encodeURIComponent(SECRET)],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in base64, amid other bytes", Buffer.from(`x-access-token:${SECRET}`).toString("base64")],
    ["in base64 for URLs", Buffer.from(`ab${SECRET}`).toString("base64url")],
    ["in hexadecimal", Buffer.from(SECRET).toString("hex")],
  ])("never shows a known secret %s", (_, written) => {
    for (const pretty of [false, true]) {
      const lines: string[] = [];
      const log = logTo(lines, [SECRET], pretty);
      log.info(`before ${written} after`);
      log.warn({ deep: { list: [{ [written]: written }] } }, "fields");
      log.error({ err: new Error(`refused: ${written}`) }, "failed");
      const all = lines.join("");
      const core = written.slice(4, -6);
      expect(all).not.toContain(core);
      expect(all).toContain("[redacted]");
    }
  });

  it.each([
    ["Authorization: Bearer abc123def456ghi789"],
    ["https://x-access-token:abc123def456@github.com/o/r.git"],
    [`ghp_${"a1".repeat(18)}`],
    [`sk-ant-api03-${"x9".repeat(20)}`],
  ])("never shows what looks like a token: %s", (written) => {
    const lines: string[] = [];
    logTo(lines).info(written);
    expect(lines[0]).toContain("[redacted");
    expect(lines[0]).not.toMatch(/abc123def456|a1a1a1|x9x9x9/);
  });

  it("stays one JSON document when a key is cut off in the middle", () => {
    const lines: string[] = [];
    logTo(lines).info({ after: "kept" }, "-----BEGIN RSA PRIVATE KEY-----\nMIIabc");
    expect(JSON.parse(lines[0]!)).toMatchObject({ after: "kept" });
    expect(lines[0]).not.toContain("MIIabc");
  });

  it("hides each line of a key", () => {
    const line = "MIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyz";
    expect(createRedactor([`-----BEGIN KEY-----\n${line}\n-----END KEY-----\n`])(`a ${line} b`)).toBe("a [redacted] b");
  });

  it("leaves ordinary words alone", () => {
    const text = "The token was refused; basic authentication is off. https://example.com:8080/a@b";
    expect(createRedactor(["a", "of", "ab12"])(text)).toBe(text);
  });
});

describe("Temporal's own log", () => {
  it("ends in ours, with run and issue", () => {
    const lines: string[] = [];
    temporalLogger(logTo(lines)).warn("Activity failed", {
      workflowId: "issue/octo/hello/7",
      taskQueue: "mergewright",
      attempt: 2,
      eventId: 5n,
    });
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: "warn",
      run: "issue/octo/hello/7",
      issue: "octo/hello#7",
      attempt: 2,
      eventId: "5",
    });
    expect(JSON.parse(lines[0]!)).not.toHaveProperty("taskQueue");
  });
});
