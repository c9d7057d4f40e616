/** How groups become Qdrant's points: ids from what they are, payloads that can be filtered, requests within the limits. */
import { createHash } from "node:crypto";
import { wellFormed } from "../../domain/text.ts";
import type { Group, Json, Scope } from "./store.ts";

export interface StoredPayload {
  /** Tenant and repository in one: the field by which Qdrant keeps tenants apart. */
  scope: string;
  /** What stands before the colon of the group's name. */
  kind: string;
  group: string;
  /** The point's place in its group. */
  ordinal: number;
  tag: string;
  data: Json;
}

export interface QdrantPoint {
  id: string;
  vector: Record<string, { indices: number[]; values: number[] }> & { dense?: number[] };
  payload: Record<string, unknown>;
}

/** Qdrant's advice is batches of this order; its own limit for a request is 32 MB. */
const MAX_POINTS = 256;
const MAX_BYTES = 8 * 2 ** 20;
/** An index of up to ten digits, a weight of up to six characters, two commas. */
const BYTES_PER_ENTRY = 18;
const BYTES_PER_DENSE = 14;
/** Four decimals: what is beyond changes no order, and would double the request. */
const DECIMALS = 10_000;

/** The dense vectors go to a collection of their own, whose size is that of the model. */
export function toPoints(
  scope: Scope,
  groups: readonly Group[],
): { firsts: QdrantPoint[]; others: QdrantPoint[]; dense: QdrantPoint[] } {
  const firsts: QdrantPoint[] = [];
  const others: QdrantPoint[] = [];
  const dense: QdrantPoint[] = [];
  const key = scopeKey(scope);
  for (const { name, tag, points } of groups) {
    points.forEach((point, ordinal) => {
      const stored: StoredPayload = {
        scope: key,
        kind: name.slice(0, name.indexOf(":")),
        group: name,
        ordinal,
        tag,
        data: wellFormedJson(point.payload),
      };
      const vector: QdrantPoint["vector"] = {};
      for (const [vectorName, { indices, values }] of Object.entries(point.vectors)) {
        if (indices.length > 0) vector[vectorName] = { indices: [...indices], values: Array.from(values, rounded) };
      }
      const id = pointId(key, name, ordinal);
      (ordinal === 0 ? firsts : others).push({ id, vector, payload: { ...stored } });
      if (point.dense !== undefined)
        dense.push({ id, vector: { dense: Array.from(point.dense) } as QdrantPoint["vector"], payload: { ...stored } });
    });
  }
  return { firsts, others, dense };
}

export function* withinLimits(points: readonly QdrantPoint[]): Generator<QdrantPoint[]> {
  let batch: QdrantPoint[] = [];
  let bytes = 0;
  for (const point of points) {
    const size = sizeOf(point);
    if (batch.length > 0 && (batch.length >= MAX_POINTS || bytes + size > MAX_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(point);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function sizeOf({ vector, payload }: QdrantPoint): number {
  let bytes = 200 + JSON.stringify(payload).length;
  for (const value of Object.values(vector)) {
    if (Array.isArray(value)) bytes += value.length * BYTES_PER_DENSE;
    else bytes += value.indices.length * BYTES_PER_ENTRY;
  }
  return bytes;
}

/** Qdrant refuses a request with half of a character anywhere in it, and everything else in it with that. */
function wellFormedJson(payload: Json): Json {
  return Object.fromEntries(Object.entries(payload).map(([name, each]) => [name, wellFormedValue(each)]));
}

function wellFormedValue(value: unknown): unknown {
  if (typeof value === "string") return wellFormed(value);
  if (value === null || typeof value !== "object") return value;
  return Array.isArray(value) ? value.map(wellFormedValue) : wellFormedJson(value as Json);
}

function rounded(value: number): number {
  return Math.round(value * DECIMALS) / DECIMALS;
}

/** Length first: no tenant's name can be made to run into a repository's. */
export function scopeKey({ tenant, repository }: Scope): string {
  return `${tenant.length}:${tenant}/${repository}`;
}

/** What {@link scopeKey} was made from. */
export function scopeOfKey(key: string): Scope {
  const colon = key.indexOf(":");
  const end = colon + 1 + Number(key.slice(0, colon));
  return { tenant: key.slice(colon + 1, end), repository: key.slice(end + 1) };
}

/** Drawn once for Mergewright's points. */
const NAMESPACE = Buffer.from("8c1f5f0d3c9b4c0f9a8e6b1d2f7a4e53", "hex");

/** A UUID of version 5: the same point has the same id whenever it is written. */
export function pointId(scope: string, group: string, ordinal: number): string {
  const hash = createHash("sha1")
    .update(NAMESPACE)
    .update(JSON.stringify([scope, group, ordinal]))
    .digest()
    .subarray(0, 16);
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
