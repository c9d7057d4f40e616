/**
 * Searching the embedded store: every stored weight is looked at, and nearly all are passed over by one look at a small table.
 * That is faster than keeping an inverted index fresh, up to some hundred thousand pieces of code.
 */
import { hashOf } from "../text/vector.ts";
import { rarity, type Hit, type Json, type Query, type SparseVector } from "./store.ts";

export interface Loaded {
  revision: number;
  names: readonly string[];
  /** JSON, one array for each group: parsed for those that are found. */
  payloads: readonly string[];
  channels: ReadonlyMap<number, Channel>;
  dense: readonly DensePoints[];
}

/** All points that have a vector of one name. */
export interface Channel {
  group: Uint32Array;
  point: Uint32Array;
  /** Where the entries of a point begin; those of the last one end at the last number. */
  starts: Uint32Array;
  indices: Uint32Array;
  weights: Uint16Array;
  step: number;
}

export interface DensePoints {
  group: number;
  points: readonly number[];
  values: Float32Array;
}

export function searchLoaded(loaded: Loaded, queries: readonly Query[]): Hit[][] {
  const answers: Hit[][] = queries.map(() => []);
  const parsed = new Map<number, Json[]>();
  const hit = (group: number, point: number, score: number): Hit => {
    let payloads = parsed.get(group);
    if (payloads === undefined) parsed.set(group, (payloads = JSON.parse(loaded.payloads[group]!) as Json[]));
    return { group: loaded.names[group]!, point, score, payload: payloads[point]! };
  };

  const byVector = new Map<string, number[]>();
  queries.forEach((query, at) => {
    if ("dense" in query) answers[at] = searchDense(loaded, query.dense, query.limit, hit);
    else byVector.set(query.vector, [...(byVector.get(query.vector) ?? []), at]);
  });
  for (const [vector, places] of byVector) {
    const channel = loaded.channels.get(hashOf(vector));
    if (channel === undefined) continue;
    const sparse = places.map((at) => queries[at] as Extract<Query, { vector: string }>);
    const scores = scan(
      channel,
      sparse.map(({ terms }) => terms),
    );
    places.forEach((at, which) => {
      answers[at] = best(scores[which]!, sparse[which]!.limit).map((point) =>
        hit(channel.group[point]!, channel.point[point]!, scores[which]![point]!),
      );
    });
  }
  return answers;
}

/** One pass for all queries: which of their words stand where, and how many points have each. */
function scan(channel: Channel, queries: readonly SparseVector[]): Float32Array[] {
  const slots = new Map<number, number>();
  for (const { indices } of queries) for (const index of indices) if (!slots.has(index)) slots.set(index, slots.size);
  const maybe = new Uint8Array(65_536);
  for (const index of slots.keys()) maybe[index & 0xffff] = 1;

  const { starts, indices, weights } = channel;
  const total = channel.group.length;
  const having = new Uint32Array(slots.size);
  const foundPoint: number[] = [];
  const foundSlot: number[] = [];
  const foundWeight: number[] = [];
  for (let point = 0; point < total; point++) {
    const end = starts[point + 1]!;
    for (let at = starts[point]!; at < end; at++) {
      const index = indices[at]!;
      if (maybe[index & 0xffff] === 0) continue;
      const slot = slots.get(index);
      if (slot === undefined) continue;
      having[slot]! += 1;
      foundPoint.push(point);
      foundSlot.push(slot);
      foundWeight.push(weights[at]!);
    }
  }
  return queries.map(({ indices: wanted, values }) => {
    const factors = new Float64Array(slots.size);
    wanted.forEach((index, at) => {
      const slot = slots.get(index)!;
      factors[slot] = values[at]! * rarity(total, having[slot]!) * channel.step;
    });
    const scores = new Float32Array(total);
    for (let at = 0; at < foundPoint.length; at++)
      scores[foundPoint[at]!]! += factors[foundSlot[at]!]! * foundWeight[at]!;
    return scores;
  });
}

function best(scores: Float32Array, limit: number): number[] {
  const found: number[] = [];
  for (let point = 0; point < scores.length; point++) if (scores[point]! > 0) found.push(point);
  return found.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, limit);
}

function searchDense(
  { dense }: Loaded,
  wanted: Float32Array,
  limit: number,
  hit: (group: number, point: number, score: number) => Hit,
): Hit[] {
  const length = wanted.length;
  const ownNorm = norm(wanted, 0, length);
  const found: { group: number; point: number; score: number }[] = [];
  for (const { group, points, values } of dense) {
    points.forEach((point, which) => {
      const from = which * length;
      let dot = 0;
      for (let at = 0; at < length; at++) dot += wanted[at]! * values[from + at]!;
      const score = dot / (ownNorm * norm(values, from, length) || 1);
      found.push({ group, point, score });
    });
  }
  found.sort((a, b) => b.score - a.score);
  return found.slice(0, limit).map(({ group, point, score }) => hit(group, point, score));
}

function norm(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let at = from; at < from + length; at++) sum += values[at]! * values[at]!;
  return Math.sqrt(sum);
}
