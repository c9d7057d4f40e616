/** Rows of the embedded store, laid out for scanning: each vector name has its points one after another. */
import { WEIGHT_STEPS } from "./packed.ts";
import type { Channel, DensePoints, Loaded } from "./scan.ts";

export type Row = [name: string, payloads: string, vectors: Uint8Array, dense: Uint8Array | null];

export function load(rows: readonly Row[], revision: number): Loaded {
  const words = rows.map(([, , vectors]) => wordsOf(vectors));
  const sizes = new Map<number, { points: number; entries: number }>();
  const counts = words.map((row) =>
    eachVector(row, (_, channel, _at, length) => {
      const size = sizes.get(channel) ?? { points: 0, entries: 0 };
      sizes.set(channel, { points: size.points + 1, entries: size.entries + length });
    }),
  );
  const channels = new Map<number, Channel>();
  const used = new Map<number, { points: number; entries: number }>();
  for (const [name, { points, entries }] of sizes) {
    channels.set(name, {
      group: new Uint32Array(points),
      point: new Uint32Array(points),
      starts: new Uint32Array(points + 1),
      indices: new Uint32Array(entries),
      weights: new Uint16Array(entries),
      step: 1 / WEIGHT_STEPS,
    });
    used.set(name, { points: 0, entries: 0 });
  }
  words.forEach((row, group) => {
    const halves = new Uint16Array(row.buffer, row.byteOffset, row.length * 2);
    eachVector(row, (point, name, at, length) => {
      const channel = channels.get(name)!;
      const place = used.get(name)!;
      channel.group[place.points] = group;
      channel.point[place.points] = point;
      channel.indices.set(row.subarray(at, at + length), place.entries);
      channel.weights.set(halves.subarray((at + length) * 2, (at + length) * 2 + length), place.entries);
      place.points += 1;
      place.entries += length;
      channel.starts[place.points] = place.entries;
    });
  });
  return {
    revision,
    names: rows.map(([name]) => name),
    payloads: rows.map(([, payloads]) => payloads),
    parsed: [],
    channels,
    dense: denseOf(rows, counts),
  };
}

/** A buffer of the database need not begin where a 32-bit word may. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

/** Returns how many points there are. */
function eachVector(
  words: Uint32Array,
  visit: (point: number, channel: number, at: number, length: number) => void,
): number {
  let at = 0;
  let point = 0;
  for (; at < words.length; point++) {
    const vectors = words[at++]!;
    for (let vector = 0; vector < vectors; vector++) {
      const channel = words[at]!;
      const length = words[at + 1]!;
      visit(point, channel, at + 2, length);
      at += 2 + length + ((length + 1) >> 1);
    }
  }
  return point;
}

function denseOf(rows: readonly Row[], counts: readonly number[]): DensePoints[] {
  return rows.flatMap(([, , , dense], group) => {
    if (dense === null) return [];
    const flags = dense.subarray(0, counts[group]);
    const points = [...flags.keys()].filter((point) => flags[point] === 1);
    const bytes = Uint8Array.from(dense.subarray((counts[group]! + 3) & ~3));
    return [{ group, points, values: new Float32Array(bytes.buffer) }];
  });
}
