/** Searching the embedded store: only the entries of the words that were asked for are looked at. */
import { hashOf } from "../text/vector.ts";
import type { DensePoints, Image } from "./image.ts";
import type { Channel } from "./invert.ts";
import { WEIGHT_STEPS } from "./packed.ts";
import { rarity, type Hit, type Json, type Query, type SparseVector } from "./store.ts";

const STEP = 1 / WEIGHT_STEPS;

export function searchImage(image: Image, queries: readonly Query[]): Hit[][] {
  const counters = new Map<Channel, Counter>();
  return queries.map((query): Hit[] => {
    if ("dense" in query)
      return nearest(image.dense, query.dense, query.limit).map(
        ({ group, point, score }) => new ImageHit(image, group, point, score),
      );
    const channel = image.channels.get(hashOf(query.vector));
    if (channel === undefined) return [];
    let counter = counters.get(channel);
    if (counter === undefined) counters.set(channel, (counter = emptyCounter(channel)));
    count(channel, query.terms, counter);
    const { group, point } = channel;
    const found = best(counter, query.limit).map(
      (at) => new ImageHit(image, group[at]!, point[at]!, counter.scores[at]!),
    );
    for (let at = 0; at < counter.touched; at++) counter.scores[counter.which[at]!] = 0;
    counter.touched = 0;
    return found;
  });
}

class ImageHit implements Hit {
  readonly group: string;
  readonly point: number;
  readonly score: number;
  readonly #image: Image;
  readonly #at: number;
  constructor(image: Image, at: number, point: number, score: number) {
    this.group = image.names[at]!;
    this.point = point;
    this.score = score;
    this.#image = image;
    this.#at = at;
  }
  get payload(): Json {
    return this.#image.payload(this.#at, this.point);
  }
}

/** What vectors have come to so far, and which ones that is: the rest is zero, so that nobody has to go through all. */
interface Counter {
  scores: Float32Array;
  which: Uint32Array;
  touched: number;
}

function emptyCounter({ group: { length } }: Channel): Counter {
  return { scores: new Float32Array(length), which: new Uint32Array(length), touched: 0 };
}

function count(channel: Channel, { indices, values }: SparseVector, counter: Counter): void {
  const { starts, points, weights } = channel;
  const { scores, which } = counter;
  const total = scores.length;
  for (let at = 0; at < indices.length; at++) {
    const term = placeOf(channel.terms, indices[at]!);
    if (term < 0) continue;
    const from = starts[term]!;
    const to = starts[term + 1]!;
    const factor = values[at]! * rarity(total, to - from) * STEP;
    for (let entry = from; entry < to; entry++) {
      const point = points[entry]!;
      const before = scores[point]!;
      scores[point] = before + factor * weights[entry]!;
      if (before === 0 && scores[point] > 0) which[counter.touched++] = point;
    }
  }
}

/** Below zero where it is not among them. */
function placeOf(ascending: Uint32Array, wanted: number): number {
  let [from, to] = [0, ascending.length - 1];
  while (from <= to) {
    const middle = (from + to) >>> 1;
    const found = ascending[middle]!;
    if (found === wanted) return middle;
    if (found < wanted) from = middle + 1;
    else to = middle - 1;
  }
  return -1;
}

/** The best one may come to lie in the last of them by rounding. */
const BINS = 1_024;

function best({ scores, which, touched }: Counter, limit: number): number[] {
  let most = 0;
  for (let at = 0; at < touched; at++) if (scores[which[at]!]! > most) most = scores[which[at]!]!;
  const scale = (BINS - 1) / most;
  const bins = new Uint32Array(BINS);
  for (let at = 0; at < touched; at++) bins[(scores[which[at]!]! * scale) | 0]! += 1;
  // From the highest bin down to that in which the limit is reached: only those few are sorted.
  let least = BINS - 1;
  for (let above = bins[least]!; above < limit && least > 0; above += bins[least]!) least -= 1;
  const found: number[] = [];
  for (let at = 0; at < touched; at++) {
    const point = which[at]!;
    if (((scores[point]! * scale) | 0) >= least) found.push(point);
  }
  return found.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, limit);
}

function nearest(
  all: readonly DensePoints[],
  wanted: Float32Array,
  limit: number,
): { group: number; point: number; score: number }[] {
  const length = wanted.length;
  const ownNorm = norm(wanted, 0, length);
  const found: { group: number; point: number; score: number }[] = [];
  for (const { group, points, values } of all) {
    points.forEach((point, which) => {
      const from = which * length;
      let dot = 0;
      for (let at = 0; at < length; at++) dot += wanted[at]! * values[from + at]!;
      found.push({ group, point, score: dot / (ownNorm * norm(values, from, length) || 1) });
    });
  }
  return found.sort((a, b) => b.score - a.score).slice(0, limit);
}

function norm(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let at = from; at < from + length; at++) sum += values[at]! * values[at]!;
  return Math.sqrt(sum);
}
