/** One connection to one command server: several questions at once, each with its answer or its loss. */
import type { Writable } from "node:stream";
import { encodeFrame, type Field, FrameReader } from "./frames.ts";
import { TimeUp } from "./waiting.ts";

/** The two ends of a command server's input and output, wherever it runs. */
export interface Channel {
  readonly input: Writable;
  /** Called once; `onEnd` tells why there will be no more, in words for a person. */
  listen(onOutput: (chunk: Buffer) => void, onEnd: (reason: string) => void): void;
  /** Whether this process must stay alive for the channel: only while a question is open. */
  hold(held: boolean): void;
  destroy(): void;
}

/** The server is not there any more, or does not answer. What it was asked may have happened or not. */
export class ConnectionLost extends Error {}

export interface Reply {
  status: string;
  fields: Buffer[];
  /** The content of a file, which comes in pieces before the reply itself. */
  parts: Buffer[];
}

interface Question {
  parts: Buffer[];
  partBytesLeft: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Of a file's content in one frame. */
const PART_BYTES = 256 * 1024;
const HELLO_LIMIT_MS = 30_000;

export class Connection {
  readonly #channel: Channel;
  readonly #questions = new Map<number, Question>();
  readonly #reader = new FrameReader();
  #lastId = 0;
  #lost: ConnectionLost | null = null;

  /** Waits until the server says that it is there. */
  static async open(channel: Channel): Promise<Connection> {
    const connection = new Connection(channel);
    const hello = await connection.#expect(0, HELLO_LIMIT_MS);
    if (hello.fields[0]?.length === 0) {
      connection.close("bash is missing");
      throw new ConnectionLost("There is no bash on the PATH of the sandbox.");
    }
    return connection;
  }

  private constructor(channel: Channel) {
    this.#channel = channel;
    channel.input.on("error", (error) => this.close(error.message));
    channel.listen(
      (chunk) => this.#take(chunk),
      (reason) => this.close(reason),
    );
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /**
   * Asks, and waits for the answer. `content` goes behind the fields, in parts where it is large; the answer's own parts
   * may have `maxPartBytes` together.
   * Throws ConnectionLost when the server is gone, or when nothing of the question or its answer has moved for `limitMs`.
   */
  async ask(fields: readonly Field[], limitMs: number, content?: Uint8Array, maxPartBytes = 0): Promise<Reply> {
    if (this.#lost) throw this.#lost;
    const id = ++this.#lastId;
    const reply = this.#expect(id, limitMs, maxPartBytes);
    // Rejected before it is awaited below when the connection ends between two parts.
    reply.catch(() => {});
    if (content === undefined) {
      this.#send([id, ...fields]);
    } else {
      let at = 0;
      for (; content.length - at > PART_BYTES; at += PART_BYTES) {
        if (this.#send([id, "stage", content.subarray(at, at + PART_BYTES)])) continue;
        await this.#drained();
        this.#questions.get(id)?.timer.refresh();
      }
      this.#send([id, ...fields, content.subarray(at)]);
    }
    return reply;
  }

  /** Ends the connection; open questions are rejected with ConnectionLost. */
  close(reason: string): void {
    if (this.#lost) return;
    this.#lost = new ConnectionLost(reason);
    this.#channel.destroy();
    for (const [id, question] of this.#questions) {
      this.#settle(id);
      question.reject(this.#lost);
    }
  }

  #send(fields: readonly Field[]): boolean {
    return this.#lost === null && this.#channel.input.write(encodeFrame(fields));
  }

  async #drained(): Promise<void> {
    const { input } = this.#channel;
    if (this.#lost || !input.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        input.off("drain", done).off("close", done).off("error", done);
        resolve();
      };
      input.on("drain", done).on("close", done).on("error", done);
    });
  }

  #expect(id: number, limitMs: number, maxPartBytes = 0): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.close(new TimeUp(`The command server did not answer within ${limitMs / 1000} s.`).message),
        limitMs,
      );
      if (this.#questions.size === 0) this.#channel.hold(true);
      this.#questions.set(id, { parts: [], partBytesLeft: maxPartBytes, resolve, reject, timer });
    });
  }

  #settle(id: number): void {
    const question = this.#questions.get(id);
    if (!question) return;
    clearTimeout(question.timer);
    this.#questions.delete(id);
    if (this.#questions.size === 0) this.#channel.hold(false);
  }

  #take(chunk: Buffer): void {
    if (this.#lost) return;
    let frames: Buffer[][];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      return this.close(`The command server sent something else than frames: ${(error as Error).message}.`);
    }
    for (const [id, status, ...fields] of frames) {
      const number = Number(id?.toString());
      const question = this.#questions.get(number);
      // An answer may come after its question was given up.
      if (!question || !status) continue;
      if (status.equals(PART)) {
        const part = fields[0] ?? Buffer.alloc(0);
        question.partBytesLeft -= part.length;
        // What answers us may have been taken over by a command: it must not fill our memory.
        if (question.partBytesLeft < 0) return this.close("The command server sent more than it was asked for.");
        question.parts.push(part);
        question.timer.refresh();
        continue;
      }
      this.#settle(number);
      question.resolve({ status: status.toString(), fields, parts: question.parts });
    }
  }
}

const PART = Buffer.from("part");
