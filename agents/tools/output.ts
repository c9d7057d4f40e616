/* oxlint-disable no-control-regex -- control characters are what is looked for */
/** What a command printed, as Claude sees it: readable text, head and tail, with a word about what is missing. */
import type { CommandOutput } from "../../domain/ports.ts";
import { headOf, tailOf } from "../../domain/text.ts";
import { cutMiddle, joinCut } from "../cut.ts";

/** Bytes to keep from each end so that `limit` characters can be shown: four bytes is the longest character in UTF-8. */
export function bytesToKeep(limit: number): number {
  return limit * 2;
}

export function readableOutput(output: CommandOutput, limit: number): string {
  const kept = output.head.length + output.tail.length;
  const lost = Math.max(0, output.totalBytes - kept);
  if (isBinary(output.head) || isBinary(output.tail)) {
    return `[binary output, ${output.totalBytes} bytes, not shown; use a command that prints text, such as file, xxd or strings]`;
  }
  if (lost === 0) return cutMiddle(cleanTerminal(decode([output.head, output.tail])), limit).text;
  const half = Math.floor(limit / 2);
  const head = cleanTerminal(decode([output.head]).replace(/\ufffd+$/, ""));
  const tail = cleanTerminal(decode([output.tail]).replace(/^\ufffd+/, ""));
  const shownHead = headOf(head, half);
  const shownTail = tailOf(tail, half);
  return joinCut(
    shownHead,
    shownTail,
    `about ${lost + Math.max(0, head.length - half) + Math.max(0, tail.length - half)} bytes of ${output.totalBytes}`,
  );
}

/** Text as a terminal would leave it: no colours, no overwritten progress bars, no other control characters. */
export function cleanTerminal(text: string): string {
  return (
    text
      // OSC (titles, links) up to its end, then CSI (colours, cursor), then other escapes.
      .replaceAll(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, "")
      .replaceAll(/(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?/g, "")
      .replaceAll(/\u001b[ -/]*[0-~]?/g, "")
      .replaceAll("\r\n", "\n")
      .split("\n")
      .map(afterReturn)
      .join("\n")
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
  );
}

/** What is left of a line that was written over. By hand: an expression would look at a long line again from each of its characters. */
function afterReturn(line: string): string {
  return line.slice(line.lastIndexOf("\r", line.length - 2) + 1);
}

/** Mostly not text: more than one byte in ten is NUL or another control that no program prints for people. */
export function isBinary(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, 4096);
  let odd = 0;
  for (const byte of sample) if (byte === 0 || (byte < 7 && byte > 0) || (byte > 13 && byte < 27)) odd++;
  return odd > 0 && odd * 10 > sample.length;
}

function decode(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
