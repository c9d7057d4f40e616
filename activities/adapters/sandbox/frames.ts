/** What goes over the wire to the command server: frames of length-prefixed fields, all numbers big-endian and 32 bits wide. */

export type Field = string | number | Uint8Array;

/** Contents of files go in parts; the longest frame is a command's kept output. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export function encodeFrame(fields: readonly Field[]): Buffer {
  const parts: Uint8Array[] = [Buffer.alloc(4)];
  let length = 0;
  for (const field of fields) {
    const bytes = field instanceof Uint8Array ? field : Buffer.from(String(field), "utf8");
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(bytes.length);
    parts.push(prefix, bytes);
    length += 4 + bytes.length;
  }
  (parts[0] as Buffer).writeUInt32BE(length);
  return Buffer.concat(parts);
}

/** Puts frames together again, however the stream was cut. Throws on bytes that cannot be frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** The frames that are complete with this chunk, each as its fields. */
  push(chunk: Buffer): Buffer[][] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Buffer[][] = [];
    for (;;) {
      const head = this.#peek(4);
      if (head === null) return frames;
      const length = head.readUInt32BE();
      if (length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes was announced`);
      const frame = this.#peek(4 + length);
      if (frame === null) return frames;
      const rest = (this.#chunks[0] as Buffer).subarray(4 + length);
      if (rest.length > 0) this.#chunks[0] = rest;
      else this.#chunks.shift();
      this.#bytes -= 4 + length;
      frames.push(fieldsOf(frame.subarray(4)));
    }
  }

  /** The first bytes in one piece, or null while they are not there; joins chunks only when that many have come. */
  #peek(bytes: number): Buffer | null {
    if (this.#bytes < bytes) return null;
    if ((this.#chunks[0] as Buffer).length < bytes) this.#chunks = [Buffer.concat(this.#chunks)];
    return (this.#chunks[0] as Buffer).subarray(0, bytes);
  }
}

function fieldsOf(body: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = at + 4 <= body.length ? at + 4 + body.readUInt32BE(at) : Infinity;
    if (end > body.length) throw new Error("a field is longer than its frame");
    fields.push(body.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
