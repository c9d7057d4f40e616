/** What the embedding model makes of a question, or why it makes nothing of it. */
import type { Embedder } from "../dense/embedder.ts";
import { orWordsAlone } from "../dense/or-words.ts";
import { type DenseScale, denseScale } from "./dense-scale.ts";

export interface Asked {
  near: { scale: DenseScale; dense: Float32Array } | null;
  /** Why there is nothing; null: there is. */
  why: string | null;
}

/**
 * Within it the same question gets the same answer: a run asks for issues, lessons and what was taught, and waits for a service that hangs
 * once, as it pays for one question.
 */
const SAME_QUESTION_MS = 10_000;

export class Questions {
  readonly #embedder: Embedder;
  readonly #warn: (message: string) => void;
  #last: (Asked & { text: string; at: number }) | null = null;

  constructor(embedder: Embedder, warn: (message: string) => void) {
    this.#embedder = embedder;
    this.#warn = warn;
  }

  async ask(text: string, signal: AbortSignal): Promise<Asked> {
    if (this.#last?.text === text && Date.now() - this.#last.at < SAME_QUESTION_MS) return this.#last;
    let why: string | null = null;
    const answer = await orWordsAlone(
      (until) => Promise.all([denseScale(this.#embedder, until), this.#embedder.embed([text], "query", until)]),
      signal,
      (message) => this.#warn((why = message)),
    );
    const near = answer === null ? null : { scale: answer[0], dense: answer[1][0]! };
    this.#last = { text, at: Date.now(), near, why };
    return this.#last;
  }
}
