/**
 * All points of a scope as one piece of memory, laid out for searching: word -> where it stands. Made from the rows of the embedded
 * store, kept beside them, and read back at once; views on its parts are all that has to be made then.
 */
import { invert, type Channel } from "./invert.ts";
import { eachVector, type Row, wordsOf } from "./packed.ts";
import type { Json } from "./store.ts";

export interface Image {
  /** Of its groups. */
  names: readonly string[];
  payload(group: number, point: number): Json;
  /** By the hash of a vector's name. */
  channels: ReadonlyMap<number, Channel>;
  dense: readonly DensePoints[];
}

export interface DensePoints {
  group: number;
  points: Uint32Array;
  values: Float32Array;
}

/** Kept with an image; what was laid out otherwise is another number. */
export const LAYOUT = 1;

/** Sections, each behind its length in bytes and filled up to a whole word. */
export function imageOf(rows: readonly Row[]): Uint8Array {
  const vectors = rows.map(([, , packed]) => wordsOf(packed));
  const texts = rows.map(([, payloads]) => Buffer.from(payloads, "utf8"));
  const ends = new Uint32Array(rows.length);
  let end = 0;
  texts.forEach(({ length }, at) => (ends[at] = end += length));
  const channels = [...invert(vectors)];
  const dense = rows.flatMap(([, , , packed], group) =>
    packed === null
      ? []
      : [
          denseOf(
            group,
            packed,
            eachVector(vectors[group]!, () => {}),
          ),
        ],
  );
  return joined([
    Uint32Array.of(channels.length, dense.length),
    Buffer.from(JSON.stringify(rows.map(([name]) => name)), "utf8"),
    ends,
    Buffer.concat(texts),
    ...channels.flatMap(([hash, { group, point, terms, starts, points, weights }]) => [
      Uint32Array.of(hash),
      group,
      point,
      terms,
      starts,
      points,
      weights,
    ]),
    ...dense.flatMap(({ group, points, values }) => [Uint32Array.of(group), points, values]),
  ]);
}

export function openImage(bytes: Uint8Array): Image {
  const next = sectionsOf(bytes);
  const [channelCount, denseCount] = words(next());
  const names = JSON.parse(textOf(next())) as string[];
  const ends = words(next());
  const payloads = next();
  const parsed: (readonly Json[] | undefined)[] = [];
  const channels = new Map<number, Channel>();
  for (let at = 0; at < channelCount!; at++) {
    const [hash] = words(next());
    const [group, point, terms] = [words(next()), words(next()), words(next())];
    channels.set(hash!, { group, point, terms, starts: words(next()), points: words(next()), weights: halves(next()) });
  }
  const dense: DensePoints[] = [];
  for (let at = 0; at < denseCount!; at++) {
    const [[group], points, values] = [words(next()), words(next()), next()];
    dense.push({
      group: group!,
      points,
      values: new Float32Array(values.buffer, values.byteOffset, values.length / 4),
    });
  }
  return {
    names,
    channels,
    dense,
    // Most hits are only counted, so a payload waits until somebody reads it.
    payload: (group, point) =>
      (parsed[group] ??= JSON.parse(textOf(payloads.subarray(ends[group - 1] ?? 0, ends[group]!))) as Json[])[point]!,
  };
}

/** One flag for each point, filled up to a word, then the vectors of those that have one. */
function denseOf(group: number, packed: Uint8Array, count: number): DensePoints {
  const flags = packed.subarray(0, count);
  const bytes = Uint8Array.from(packed.subarray((count + 3) & ~3));
  return {
    group,
    points: Uint32Array.from(flags.keys()).filter((point) => flags[point] === 1),
    values: new Float32Array(bytes.buffer),
  };
}

function joined(sections: readonly (Uint8Array | Uint16Array | Uint32Array | Float32Array)[]): Uint8Array {
  const bytes = new Uint8Array(sections.reduce((sum, { byteLength }) => sum + 4 + ((byteLength + 3) & ~3), 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of sections) {
    new Uint32Array(bytes.buffer, at, 1)[0] = byteLength;
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at + 4);
    at += 4 + ((byteLength + 3) & ~3);
  }
  return bytes;
}

/** Each call gives the next one, beginning where a word may. */
function sectionsOf(bytes: Uint8Array): () => Uint8Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  const lengths = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength);
  let at = 0;
  return () => {
    const from = at + 4;
    const length = lengths.getUint32(at, LITTLE_ENDIAN);
    at = from + ((length + 3) & ~3);
    return aligned.subarray(from, from + length);
  };
}

/** As the arrays are. Every machine that Node runs on but one is; the file stays on its machine. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function words({ buffer, byteOffset, byteLength }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function halves({ buffer, byteOffset, byteLength }: Uint8Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
}
