/** From points, each with its words, to words, each with its points. */
import { eachVector } from "./packed.ts";

/** All vectors of one name, counted in the order of their groups. */
export interface Channel {
  /** Where a vector belongs. */
  group: Uint32Array;
  point: Uint32Array;
  /** Ascending. */
  terms: Uint32Array;
  /** Where the entries of a term begin; those of the last one end at the last number. */
  starts: Uint32Array;
  /** Which vectors have the term, ascending, and how much it weighs there, in steps of 1 / WEIGHT_STEPS. */
  points: Uint32Array;
  weights: Uint16Array;
}

/** @param groups as `packGroup` packs their vectors. Answers by the hash of the vectors' name. */
export function invert(groups: readonly Uint32Array[]): Map<number, Channel> {
  const sizes = new Map<number, { vectors: number; entries: number }>();
  for (const words of groups) {
    eachVector(words, (_point, name, _at, length) => {
      const size = sizes.get(name);
      if (size === undefined) sizes.set(name, { vectors: 1, entries: length });
      else {
        size.vectors += 1;
        size.entries += length;
      }
    });
  }
  const flat = new Map<number, Flat>();
  for (const [name, { vectors, entries }] of sizes) flat.set(name, emptyFlat(vectors, entries));
  groups.forEach((words, group) => {
    const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
    eachVector(words, (point, name, at, length) => {
      const into = flat.get(name)!;
      into.group[into.vectors] = group;
      into.point[into.vectors] = point;
      into.terms.set(words.subarray(at, at + length), into.entries);
      into.weights.set(halves.subarray((at + length) * 2, (at + length) * 2 + length), into.entries);
      into.of.fill(into.vectors, into.entries, into.entries + length);
      into.vectors += 1;
      into.entries += length;
    });
  });
  return new Map([...flat].map(([name, entries]) => [name, byTerm(entries)]));
}

/** Entry by entry: which term, of which vector, how heavy. */
interface Flat {
  group: Uint32Array;
  point: Uint32Array;
  terms: Uint32Array;
  of: Uint32Array;
  weights: Uint16Array;
  vectors: number;
  entries: number;
}

function emptyFlat(vectors: number, entries: number): Flat {
  return {
    group: new Uint32Array(vectors),
    point: new Uint32Array(vectors),
    terms: new Uint32Array(entries),
    of: new Uint32Array(entries),
    weights: new Uint16Array(entries),
    vectors: 0,
    entries: 0,
  };
}

/** Sorted by counting, the lower half of a term first, then the upper one: each keeps the order of the one before. */
function byTerm({ group, point, terms: all, of, weights: heavy }: Flat): Channel {
  const order = sorted(sorted(null, all, 0), all, 16);
  const points = new Uint32Array(all.length);
  const weights = new Uint16Array(all.length);
  const terms: number[] = [];
  const starts: number[] = [];
  order.forEach((from, at) => {
    points[at] = of[from]!;
    weights[at] = heavy[from]!;
    if (at > 0 && all[from] === terms.at(-1)) return;
    terms.push(all[from]!);
    starts.push(at);
  });
  starts.push(all.length);
  return { group, point, terms: Uint32Array.from(terms), starts: Uint32Array.from(starts), points, weights };
}

function sorted(order: Uint32Array | null, terms: Uint32Array, shift: 0 | 16): Uint32Array {
  const places = new Uint32Array(65_537);
  for (const term of terms) places[((term >>> shift) & 0xffff) + 1]! += 1;
  for (let half = 1; half < places.length; half++) places[half]! += places[half - 1]!;
  const result = new Uint32Array(terms.length);
  for (let at = 0; at < terms.length; at++) {
    const from = order === null ? at : order[at]!;
    result[places[(terms[from]! >>> shift) & 0xffff]!++] = from;
  }
  return result;
}
