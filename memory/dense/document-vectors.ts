/**
 * What an embedding model makes of texts that are to be kept. A service that is away, wants to be paid or does not like a text keeps nothing
 * from being written: such a text is found by its words, and somebody is told why.
 */
import { RequestRefused } from "../../domain/errors.ts";
import type { Embedder } from "./embedder.ts";

export interface DocumentVectors {
  /** In the order of the texts. `refused`: by itself, and for good; null: for now. */
  vectors: (Float32Array | "refused" | null)[];
  /** Why some have none for now; null: all were taken or refused. */
  lacking: string | null;
}

/** For each request of as many texts; what waits here is a write. */
const ANSWER_MS = 30_000;
const TEXTS_A_REQUEST = 64;
/** Nobody refuses it: a model that is not known is refused in the same words as a text that is not liked. */
const PLAIN = "A plain sentence.";

/** Throws only where `signal` itself has ended. @param told of each text that is refused: its place, and why. */
export async function documentVectors(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
  told: (at: number, reason: string) => void,
): Promise<DocumentVectors> {
  const vectors: DocumentVectors["vectors"] = texts.map(() => null);
  let probed = false;
  if (texts.length === 0) return { vectors, lacking: null };
  try {
    await fill(0, texts.length);
    return { vectors, lacking: null };
  } catch (error) {
    signal.throwIfAborted();
    return { vectors, lacking: (error as Error).message };
  }

  /** One text is enough to have all refused that go with it: halves are asked for until it stands alone. */
  async function fill(from: number, to: number): Promise<void> {
    try {
      const got = await ask(texts.slice(from, to));
      got.forEach((vector, at) => (vectors[from + at] = vector));
    } catch (error) {
      if (!(error instanceof RequestRefused && error.ofContent)) throw error;
      if (!probed) await ask([PLAIN]);
      probed = true;
      if (to - from === 1) {
        told(from, (error as Error).message);
        vectors[from] = "refused";
        return;
      }
      const middle = (from + to) >> 1;
      await fill(from, middle);
      await fill(middle, to);
    }
  }

  function ask(some: readonly string[]): Promise<Float32Array[]> {
    const limitMs = ANSWER_MS * Math.ceil(some.length / TEXTS_A_REQUEST);
    return embedder.embed(some, "document", AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
  }
}
