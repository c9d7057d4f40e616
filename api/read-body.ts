/** Reads a request's body with a limit on its size and on its time, however it is sent. */
export type ReadBody = { kind: "read"; bytes: Uint8Array } | { kind: "too-large" | "too-slow" | "broken-off" };

export interface BodyLimits {
  maxBytes: number;
  timeoutMs: number;
}

export async function readBody(request: Request, { maxBytes, timeoutMs }: BodyLimits): Promise<ReadBody> {
  // A length that is announced is believed when it is too much; when it is little, the bytes are counted all the same.
  if (Number(request.headers.get("content-length")) > maxBytes) return { kind: "too-large" };
  if (!request.body) return { kind: "read", bytes: new Uint8Array() };

  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  try {
    for (;;) {
      const part = await Promise.race([reader.read(), limit]);
      if (part === "late") return { kind: "too-slow" };
      if (part.done)
        return size > maxBytes ? { kind: "too-large" } : { kind: "read", bytes: Buffer.concat(chunks, size) };
      size += part.value.byteLength;
      if (size <= maxBytes) chunks.push(part.value);
      else chunks.length = 0;
      // Many clients read no answer while they still send, so what is somewhat too large is let in, and thrown away.
      if (size > 2 * maxBytes) return { kind: "too-large" };
    }
  } catch {
    // The sender went away, or broke the framing: there is nobody left to explain it to.
    return { kind: "broken-off" };
  } finally {
    clearTimeout(timer);
  }
}
