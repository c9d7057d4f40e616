/**
 * Searching the embedded store: every stored weight is looked at, and nearly all are passed over by one look at a small table.
 * That is faster than keeping an inverted index fresh, up to some hundred thousand pieces of code.
 */
import { hashOf } from "../text/vector.ts";
import { rarity, type Hit, type Json, type Query, type SparseVector } from "./store.ts";

export interface Loaded {
  revision: number;
  names: readonly string[];
  /** JSON, one array for each group: parsed for those that are looked at, once. */
  payloads: readonly string[];
  parsed: (readonly Json[] | undefined)[];
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
  const hit = (group: number, point: number, score: number): Hit => new LoadedHit(loaded, group, point, score);

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

/** Most hits are only counted, so the payload waits until somebody reads it. */
class LoadedHit implements Hit {
  readonly group: string;
  readonly point: number;
  readonly score: number;
  readonly #loaded: Loaded;
  readonly #at: number;
  constructor(loaded: Loaded, at: number, point: number, score: number) {
    this.group = loaded.names[at]!;
    this.point = point;
    this.score = score;
    this.#loaded = loaded;
    this.#at = at;
  }
  get payload(): Json {
    return (this.#loaded.parsed[this.#at] ??= JSON.parse(this.#loaded.payloads[this.#at]!) as Json[])[this.point]!;
  }
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
  let capacity = 16_384;
  let foundPoint = new Uint32Array(capacity);
  let foundSlot = new Uint16Array(capacity);
  let foundWeight = new Uint16Array(capacity);
  let count = 0;
  for (let point = 0; point < total; point++) {
    const end = starts[point + 1]!;
    for (let at = starts[point]!; at < end; at++) {
      const index = indices[at]!;
      if (maybe[index & 0xffff] === 0) continue;
      const slot = slots.get(index);
      if (slot === undefined) continue;
      if (count === capacity) {
        capacity *= 2;
        foundPoint = grown(foundPoint, new Uint32Array(capacity));
        foundSlot = grown(foundSlot, new Uint16Array(capacity));
        foundWeight = grown(foundWeight, new Uint16Array(capacity));
      }
      having[slot]! += 1;
      foundPoint[count] = point;
      foundSlot[count] = slot;
      foundWeight[count] = weights[at]!;
      count += 1;
    }
  }
  return queries.map(({ indices: wanted, values }) => {
    const factors = new Float64Array(slots.size);
    wanted.forEach((index, at) => {
      const slot = slots.get(index)!;
      factors[slot] = values[at]! * rarity(total, having[slot]!) * channel.step;
    });
    const scores = new Float32Array(total);
    for (let at = 0; at < count; at++) scores[foundPoint[at]!]! += factors[foundSlot[at]!]! * foundWeight[at]!;
    return scores;
  });
}

function grown<Numbers extends Uint16Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}

const BINS = 1_024;

function best(scores: Float32Array, limit: number): number[] {
  let most = 0;
  for (let point = 0; point < scores.length; point++) if (scores[point]! > most) most = scores[point]!;
  if (most === 0) return [];
  const binOf = (score: number): number => Math.floor((score / most) * (BINS - 1));
  const bins = new Uint32Array(BINS);
  for (let point = 0; point < scores.length; point++) if (scores[point]! > 0) bins[binOf(scores[point]!)]! += 1;
  // From the highest bin down to that in which the limit is reached: only those few are sorted.
  let least = BINS - 1;
  for (let above = bins[least]!; above < limit && least > 0; above += bins[least]!) least -= 1;
  const found: number[] = [];
  for (let point = 0; point < scores.length; point++)
    if (scores[point]! > 0 && binOf(scores[point]!) >= least) found.push(point);
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
