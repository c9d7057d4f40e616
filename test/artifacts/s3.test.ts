/** The store on S3, against a server that speaks S3 (fauxqs). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createS3Artifacts } from "../../activities/adapters/artifacts/s3.ts";
import { freePort } from "../../workers/temporal-process.ts";
import { optionsFor, startConditional, startRefusing, startS3, type S3Server } from "../support/s3.ts";
import { artifactsContract } from "./contract.ts";

let server: S3Server;
let front: Awaited<ReturnType<typeof startConditional>>;
let stores = 0;
beforeAll(async () => {
  server = await startS3();
  front = await startConditional(server.endpoint);
});
afterAll(async () => {
  front.stop();
  await server.stop();
});

artifactsContract("a bucket", async () => createS3Artifacts(optionsFor(front.endpoint, `some/prefix-${++stores}`)));

it("where a service ignores the condition of a write, what is there already still stays", async () => {
  const store = createS3Artifacts(server.options(`some/prefix-${++stores}`));
  expect(await store.putIfAbsent("a", new Uint8Array([1]))).toBe(true);
  expect(await store.putIfAbsent("a", new Uint8Array([2]))).toBe(false);
  expect(await store.get("a")).toEqual(new Uint8Array([1]));
});

it.each([
  ["does not know writes with a condition", 501],
  ["is busy with another write to the same object", 409],
])("where a service %s, an artifact is written once nothing is there", async (_, status) => {
  const odd = await startConditional(server.endpoint, { status, times: 1 });
  const store = createS3Artifacts(optionsFor(odd.endpoint, `some/prefix-${++stores}`));
  expect(await store.putIfAbsent("a", new Uint8Array([1]))).toBe(true);
  expect(await store.putIfAbsent("a", new Uint8Array([2]))).toBe(false);
  expect(await store.get("a")).toEqual(new Uint8Array([1]));
  odd.stop();
});

it("a bucket without a prefix holds the keys as they are", async () => {
  await createS3Artifacts(server.options("")).put("runs/plain/1", new Uint8Array([1]));
  expect(await createS3Artifacts(server.options("runs")).get("plain/1")).toEqual(new Uint8Array([1]));
  const keys: string[] = [];
  for await (const { key } of createS3Artifacts(server.options("")).list("runs/plain")) keys.push(key);
  expect(keys).toEqual(["runs/plain/1"]);
});

it("a bucket that is not there is named, with what to do", async () => {
  const store = createS3Artifacts({ ...server.options(""), bucket: "not-there" });
  for (const ask of [() => store.put("a", new Uint8Array([1])), () => store.get("a"), () => store.remove("a")])
    await expect(ask()).rejects.toMatchObject({
      name: "NotFound",
      message: expect.stringMatching(/has no bucket not-there\. Make it, or correct ARTIFACTS_URL/),
    });
});

it("a service that does not answer is unavailable, and another try may help", async () => {
  const store = createS3Artifacts(optionsFor(`http://127.0.0.1:${await freePort()}`));
  await expect(store.get("a")).rejects.toMatchObject({
    name: "ServiceUnavailable",
    message: expect.stringMatching(/does not answer.*ECONNREFUSED.*S3_ENDPOINT/),
  });
});

describe("what S3 answers", () => {
  it.each([
    [403, "SignatureDoesNotMatch", "AccessDenied", /AWS_SECRET_ACCESS_KEY/, 1],
    [403, "InvalidAccessKeyId", "AccessDenied", /AWS_ACCESS_KEY_ID/, 1],
    [403, "AccessDenied", "AccessDenied", /s3:ListBucket/, 1],
    [400, "ExpiredToken", "AccessDenied", /credentials/, null],
    [403, "RequestTimeTooSkewed", "AccessDenied", /clock/, null],
    [400, "AuthorizationHeaderMalformed", "RequestRefused", /AWS_REGION/, 1],
    [503, "SlowDown", "ServiceUnavailable", /overloaded/, 4],
    [500, "InternalError", "ServiceUnavailable", /InternalError/, 4],
    [400, "EntityTooLarge", "RequestRefused", /EntityTooLarge/, 1],
  ])(
    "%i %s becomes %s",
    async (status, code, name, message, attempts) => {
      const front = await startRefusing(status, code);
      const store = createS3Artifacts(optionsFor(front.endpoint));
      await expect(store.put("a", new Uint8Array([1]))).rejects.toMatchObject({
        name,
        message: expect.stringMatching(message),
      });
      if (attempts !== null) expect(front.asked()).toBe(attempts);
      front.stop();
    },
    20_000,
  );
});
