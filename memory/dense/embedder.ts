/** Dense vectors from an embeddings service: Voyage's API, or any that speaks OpenAI's. */
import { AccessDenied, RateLimited, RequestRefused, ServiceUnavailable } from "../../domain/errors.ts";
import { redact } from "../../domain/secrets.ts";
import { headOf, wellFormed } from "../../domain/text.ts";

export interface Embedder {
  /** Its name is part of what is stored: vectors of two models cannot be compared. */
  readonly model: string;
  /**
   * One vector for each text, in their order. `query` and `document` are embedded differently by models that can. Texts may be of any
   * length, and quote secrets: they are cleaned and then cut here, because half of a secret is not known for one.
   */
  embed(texts: readonly string[], purpose: "query" | "document", signal: AbortSignal): Promise<Float32Array[]>;
}

export interface EmbeddingsService {
  /** Such as `https://api.voyageai.com/v1`; `/embeddings` is added where it is missing. */
  url: string;
  model: string;
  apiKey: string | null;
  /** Those that we hold, so that none is sent; keys and tokens of a common shape are found without. */
  secrets?: readonly string[];
}

/** Voyage takes 1,000 texts and 120,000 tokens a request, OpenAI 2,048 and 300,000: both hold this. */
const MAX_TEXTS = 64;
const MAX_BATCH_CHARACTERS = 200_000;
/** About 2,000 tokens; models of this kind blur beyond. Who asks may tell more before he comes to the point. */
const MAX_CHARACTERS = { document: 6_000, query: 8_000 };
/** What is looked through for secrets: enough to be cut after it, and not a whole log. */
const MAX_CLEANED_CHARACTERS = 4 * MAX_CHARACTERS.query;
const TIMEOUT_MS = 60_000;
const SERVICE = "embeddings";

export function createEmbedder({ url, model, apiKey, secrets = [] }: EmbeddingsService): Embedder {
  const address = url.endsWith("/embeddings") ? url : `${url.replace(/\/$/, "")}/embeddings`;
  const voyage = new URL(address).hostname.endsWith("voyageai.com") || model.startsWith("voyage");

  async function ask(input: readonly string[], purpose: "query" | "document", signal: AbortSignal) {
    const body = { model, input, ...(voyage ? { input_type: purpose, truncation: true } : {}) };
    let answer: Response;
    try {
      answer = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body: JSON.stringify(body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new ServiceUnavailable(
        SERVICE,
        `The embeddings service at ${address} does not answer. Is EMBEDDINGS_URL right?`,
        { cause },
      );
    }
    if (!answer.ok) throw await refusal(answer, address);
    return readVectors(await answer.json(), input.length, address);
  }

  return {
    model,
    async embed(texts, purpose, signal) {
      const vectors: Float32Array[] = [];
      // Half of a character is refused by both.
      const sent = texts.map((text) =>
        headOf(redact(wellFormed(text.slice(0, MAX_CLEANED_CHARACTERS)), secrets), MAX_CHARACTERS[purpose]),
      );
      for (const batch of batches(sent)) vectors.push(...(await ask(batch, purpose, signal)));
      return vectors;
    },
  };
}

function* batches(texts: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (batch.length > 0 && (batch.length >= MAX_TEXTS || characters + text.length > MAX_BATCH_CHARACTERS)) {
      yield batch;
      [batch, characters] = [[], 0];
    }
    // An empty text is refused by both.
    batch.push(text.trim() === "" ? "-" : text);
    characters += text.length;
  }
  if (batch.length > 0) yield batch;
}

async function refusal(answer: Response, address: string): Promise<Error> {
  const said = (await answer.text().catch(() => "")).slice(0, 300);
  const { status } = answer;
  if (status === 401 || status === 403)
    return new AccessDenied(
      SERVICE,
      `The embeddings service at ${address} refuses the key (${status}). Correct EMBEDDINGS_API_KEY.`,
    );
  if (status === 429) {
    const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
    return new RateLimited(
      SERVICE,
      Number.isFinite(seconds) ? seconds * 1_000 : null,
      `The embeddings service at ${address} asks us to wait.`,
    );
  }
  if (status >= 500)
    return new ServiceUnavailable(SERVICE, `The embeddings service at ${address} answered ${status}: ${said}`);
  return new RequestRefused(
    SERVICE,
    status,
    `The embeddings service at ${address} refused the request (${status}): ${said}`,
  );
}

function readVectors(answer: unknown, expected: number, address: string): Float32Array[] {
  const data = (answer as { data?: unknown } | null)?.data;
  const vectors: Float32Array[] = [];
  if (Array.isArray(data)) {
    data.forEach((entry: { index?: unknown; embedding?: unknown } | null, at) => {
      // The order of the answer is not promised; `index` is.
      const index = typeof entry?.index === "number" ? entry.index : at;
      if (Array.isArray(entry?.embedding) && entry.embedding.every((value) => typeof value === "number"))
        vectors[index] = Float32Array.from(entry.embedding as number[]);
    });
  }
  const length = vectors[0]?.length ?? 0;
  for (let at = 0; at < expected; at++) {
    if (vectors[at] === undefined || vectors[at]!.length !== length || length === 0)
      throw new ServiceUnavailable(
        SERVICE,
        `The embeddings service at ${address} gave no usable vector for text ${at + 1} of ${expected}.`,
      );
  }
  return vectors;
}
