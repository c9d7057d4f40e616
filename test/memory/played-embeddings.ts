/** An embeddings service in memory: counts words into a few directions, speaks OpenAI's and Voyage's API, and refuses what they refuse. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface PlayedEmbeddings {
  url: string;
  readonly seen: {
    path: string;
    key: string | undefined;
    body: { input: string[]; model: string; input_type?: string };
  }[];
  /** Answers all requests with this status; 0: as it should; -1: not at all. */
  fail(status: number): void;
  /** After so many answers it answers no more, until `fail(0)`. */
  stallAfter(answers: number): void;
  /** Whether it does so now. */
  readonly stalled: boolean;
  /** Refuses every request with a text that has this in it. */
  refuse(part: string | null): void;
  /** Answers the next request with this status. */
  failNext(status: number, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

/** Words of one line mean the same to this model. */
const MEANINGS = [
  ["purchase", "buy", "cart", "basket"],
  ["price", "discount", "money"],
  ["print", "paper", "line"],
];
const MAX_INPUTS = 1_000;

export async function playEmbeddings({ apiKey }: { apiKey: string }): Promise<PlayedEmbeddings> {
  const seen: PlayedEmbeddings["seen"] = [];
  let unwanted: string | null = null;
  let always = 0;
  let answers = Infinity;
  let failure: { status: number; headers: Record<string, string> } | null = null;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as PlayedEmbeddings["seen"][number]["body"];
      seen.push({ path: request.url!, key: request.headers.authorization, body });
      const send = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
      };
      if (answers-- <= 0) always = -1;
      if (always === -1) return;
      if (always !== 0) return send(always, { error: { message: "played fault" } });
      if (failure !== null) {
        const { status, headers } = failure;
        failure = null;
        return send(status, { error: { message: "played fault" } }, headers);
      }
      if (request.headers.authorization !== `Bearer ${apiKey}`) return send(401, { error: { message: "bad key" } });
      const wrong =
        !Array.isArray(body.input) ||
        body.input.length > MAX_INPUTS ||
        body.input.some(
          (text) => text === "" || (unwanted !== null && text.includes(unwanted)) || /\p{Surrogate}/u.test(text),
        );
      if (wrong || typeof body.model !== "string") return send(400, { error: { message: "invalid input" } });
      // Their order is not promised.
      const data = body.input.map((text, index) => ({ object: "embedding", index, embedding: meaningOf(text) }));
      return send(200, { object: "list", data: data.toReversed(), model: body.model, usage: { total_tokens: 1 } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    fail: (status) => {
      always = status;
      answers = Infinity;
    },
    get stalled() {
      return always === -1;
    },
    stallAfter: (count) => void (answers = count),
    refuse: (part) => void (unwanted = part),
    failNext: (status, headers = {}) => (failure = { status, headers }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function meaningOf(text: string): number[] {
  const lower = text.toLowerCase();
  return [...MEANINGS.map((words) => words.filter((word) => lower.includes(word)).length), 0.1];
}
