/** Artifacts as objects in a bucket of S3, or of a service that speaks like it: for workers on several machines. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { Artifacts } from "../../../domain/ports.ts";
import { checkKey } from "./keys.ts";
import { explained, isConflict, isMissingKey, isTaken, isUnknownCondition } from "./s3-errors.ts";

export interface S3Options {
  bucket: string;
  /** Stands before every key, without slashes at its ends; `""` for none. */
  prefix: string;
  /** null: Amazon's own. */
  endpoint: string | null;
  /** null: as the SDK finds it (profile, instance); with an endpoint of one's own it hardly matters. */
  region: string | null;
  /** null: as the SDK finds them (profile, container, instance). */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | null;
}

/** A lost write of a reply costs the reply: worth some tries before the activity fails. The SDK waits at most seconds between them. */
const ATTEMPTS = 4;
/** Two that write one object at once are done with it within milliseconds. */
const CONFLICT_MS = 100;
const CONNECT_TIMEOUT_MS = 5_000;
/** Without a byte for so long, a connection is dead. The largest artifacts are bundles of some hundred MB. */
const SILENCE_TIMEOUT_MS = 60_000;
/** What one request of S3 takes. */
const REMOVED_AT_ONCE = 1_000;

type Sdk = typeof import("@aws-sdk/client-s3");

/** @throws from all methods: RequestRefused, NotFound (the bucket), AccessDenied, ServiceUnavailable. */
export function createS3Artifacts(options: S3Options): Artifacts {
  const { bucket, prefix } = options;
  const inBucket = (key: string) => (prefix === "" ? key : `${prefix}/${key}`);
  const outside = (name: string) => name.slice(inBucket("").length);

  // The SDK is large: loaded when it is first needed, not by every command.
  let connected: Promise<{ sdk: Sdk; client: S3Client }> | null = null;
  const connect = () => (connected ??= open(options));
  async function ask<T>(what: string, request: (parts: { sdk: Sdk; client: S3Client }) => Promise<T>): Promise<T> {
    try {
      return await request(await connect());
    } catch (error) {
      throw explained(error, what, options);
    }
  }

  async function* pages(folder: string, delimiter?: string) {
    const Prefix = inBucket(`${checkKey(folder)}/`);
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const page = await ask(`The folder ${folder}`, ({ sdk, client }) =>
        client.send(
          new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix, Delimiter: delimiter, ContinuationToken: token }),
        ),
      );
      yield page;
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    }
  }

  return {
    async put(key, content) {
      const Key = inBucket(checkKey(key));
      // The caller may change its bytes while they travel, and a second attempt must send the same.
      const Body = content.slice();
      await ask(`Artifact ${key}`, ({ sdk, client }) =>
        client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body })),
      );
    },

    async putIfAbsent(key, content) {
      const Key = inBucket(checkKey(key));
      const Body = content.slice();
      return ask(`Artifact ${key}`, async ({ sdk, client }) => {
        const send = (condition: { IfNoneMatch?: "*" }) =>
          client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body, ...condition }));
        // Some services ignore the condition without a word: there the look narrows what two may do to each other to milliseconds.
        if (options.endpoint !== null && (await isThere(client, new sdk.HeadObjectCommand({ Bucket: bucket, Key }))))
          return false;
        for (let attempt = 1; ; attempt++) {
          try {
            await send({ IfNoneMatch: "*" });
            return true;
          } catch (error) {
            if (isTaken(error)) return false;
            if (isUnknownCondition(error)) {
              await send({});
              return true;
            }
            // Somebody else writes or removes it at this moment: the next try tells how that ended.
            if (!isConflict(error) || attempt === ATTEMPTS) throw error;
            await sleep(CONFLICT_MS * attempt);
          }
        }
      });
    },

    async get(key) {
      const Key = inBucket(checkKey(key));
      return ask(`Artifact ${key}`, async ({ sdk, client }) => {
        try {
          const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key }));
          return Body === undefined ? new Uint8Array() : await Body.transformToByteArray();
        } catch (error) {
          if (isMissingKey(error)) return null;
          throw error;
        }
      });
    },

    async *list(folder) {
      for await (const { Contents = [] } of pages(folder))
        for (const { Key, LastModified } of Contents)
          if (Key !== undefined) yield { key: outside(Key), changedAt: LastModified ?? new Date(0) };
    },

    async *folders(folder) {
      for await (const { CommonPrefixes = [] } of pages(folder, "/"))
        for (const { Prefix } of CommonPrefixes) if (Prefix) yield Prefix.slice(inBucket(`${folder}/`).length, -1);
    },

    async remove(folder, writtenBefore) {
      // All names first: a list that is walked while it shrinks may skip some.
      const names: string[] = [];
      for await (const { key, changedAt } of this.list(folder))
        if (writtenBefore === undefined || changedAt < writtenBefore) names.push(inBucket(key));
      while (names.length > 0) {
        const Objects = names.splice(0, REMOVED_AT_ONCE).map((Key) => ({ Key }));
        const { Errors = [] } = await ask(`The folder ${folder}`, ({ sdk, client }) =>
          client.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })),
        );
        const [first] = Errors;
        if (first) throw explained({ name: first.Code, message: first.Message }, `The folder ${folder}`, options);
      }
    },
  };
}

async function isThere(client: S3Client, look: HeadObjectCommand): Promise<boolean> {
  try {
    await client.send(look);
    return true;
  } catch (error) {
    if (isMissingKey(error)) return false;
    throw error;
  }
}

async function open({ endpoint, region, credentials }: S3Options): Promise<{ sdk: Sdk; client: S3Client }> {
  const sdk = await import("@aws-sdk/client-s3");
  const make = (chosen: string | null) =>
    new sdk.S3Client({
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
      // Services other than Amazon's know neither the newer checksums nor a host name for each bucket.
      ...(endpoint === null
        ? {}
        : {
            endpoint,
            forcePathStyle: true,
            requestChecksumCalculation: "WHEN_REQUIRED" as const,
            responseChecksumValidation: "WHEN_REQUIRED" as const,
          }),
      ...(chosen === null ? {} : { region: chosen }),
      ...(credentials === null ? {} : { credentials }),
    });
  const client = make(region);
  if (endpoint === null || region !== null) return { sdk, client };
  const known = await client.config.region().catch(() => null);
  return { sdk, client: known === null ? make("us-east-1") : client };
}
