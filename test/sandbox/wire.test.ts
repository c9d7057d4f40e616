/** Bytes on their way: frames, the engine's stream, sizes. */
import { describe, expect, it } from "vitest";
import { demultiplexer } from "../../activities/adapters/sandbox/docker-channel.ts";
import { encodeFrame, FrameReader } from "../../activities/adapters/sandbox/frames.ts";
import { parseSize } from "../../activities/adapters/sandbox/size.ts";
import { Shared, TimeUp, within } from "../../activities/adapters/sandbox/waiting.ts";
import { never } from "./harness.ts";

describe("frames", () => {
  const frames = [["1", "run", "", "ä\0\n"], [], ["x".repeat(70_000)]];
  const stream = Buffer.concat(frames.map((frame) => encodeFrame(frame)));

  it.each([1, 3, 7, 1000, 1_000_000])("are put together from pieces of %i bytes", (size) => {
    const reader = new FrameReader();
    const read: string[][] = [];
    for (let at = 0; at < stream.length; at += size)
      read.push(...reader.push(stream.subarray(at, at + size)).map((fields) => fields.map(String)));
    expect(read).toEqual(frames);
  });

  it("that cannot be are refused", () => {
    expect(() => new FrameReader().push(Buffer.from("HTTP/1.1"))).toThrow(/was announced/);
    expect(() => new FrameReader().push(Buffer.from([0, 0, 0, 4, 0, 0, 0, 9]))).toThrow(/longer than its frame/);
  });
});

it.each([1, 2, 5, 9, 100])("the engine's stream is taken apart from pieces of %i bytes", (size) => {
  const part = (stream: number, text: string) =>
    Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);
  const stream = Buffer.concat([part(1, "out"), part(2, "err"), part(1, ""), part(1, "more")]);
  const heard = { out: "", err: "" };
  const split = demultiplexer(
    (chunk) => (heard.out += chunk),
    (chunk) => (heard.err += chunk),
  );
  for (let at = 0; at < stream.length; at += size) split(stream.subarray(at, at + size));
  expect(heard).toEqual({ out: "outmore", err: "err" });
});

it.each([
  ["1024", 1024],
  ["512m", 512 * 1024 ** 2],
  ["2g", 2 * 1024 ** 3],
  ["1.5 GiB", 1.5 * 1024 ** 3],
  ["3kb", 3072],
  ["7B", 7],
])("the size %s is %i bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(["", "g", "-1g", "1x", "0", "1 g 2"])("%j is no size", (text) => {
  expect(() => parseSize(text)).toThrow(/is not a size/);
});

describe("waiting", () => {
  const forever = () => new Promise<never>(() => {});

  it("ends with the time limit or the caller's reason, though the work ends never", async () => {
    await expect(within(20, never, forever)).rejects.toBeInstanceOf(TimeUp);
    const reason = new Error("stop");
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 10);
    await expect(within(10_000, abort.signal, forever)).rejects.toBe(reason);
  });

  it("shared work is given up only when nobody waits any more", async () => {
    let inner: AbortSignal | undefined;
    const shared = new Shared((signal) => ((inner = signal), forever()));
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [shared.wait(first.signal), shared.wait(second.signal)];
    first.abort(new Error("first"));
    await expect(waiting[0]).rejects.toThrow("first");
    expect(inner?.aborted).toBe(false);
    second.abort(new Error("second"));
    await expect(waiting[1]).rejects.toThrow("second");
    expect(inner?.aborted).toBe(true);
  });
});
