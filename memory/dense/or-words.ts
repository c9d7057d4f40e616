/** What an embedding model makes of a question. Null while its service is away: the words are searched all the same, and somebody is told. */

/** A run waits three seconds for its memory: the words alone are better than an answer that comes too late. */
const ANSWER_MS = 2_000;

/** @param ask gets the signal that ends with the time for an answer. Throws only where `signal` itself has ended. */
export async function orWordsAlone<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  warn: (message: string) => void,
  answerMs = ANSWER_MS,
): Promise<T | null> {
  try {
    return await ask(AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
  } catch (error) {
    signal.throwIfAborted();
    warn(`Searched by words alone, without embeddings: ${(error as Error).message}`);
    return null;
  }
}
