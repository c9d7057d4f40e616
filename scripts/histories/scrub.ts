/** Takes out of a history what tells of the machine that it was recorded on. */
import { hostname, tmpdir } from "node:os";

export interface History {
  events: Record<string, unknown>[];
}

const LOCAL_ADDRESS = /(http:\/\/127\.0\.0\.1):\d+/g;
/** Sticky task queues carry the process and its host in their name. */
const PROCESS = new RegExp(`\\d+@${hostname()}`, "g");

/** Who polled, where the servers of the demo listened, and where its folder was is replaced. Throws when more is left. */
export function scrubbed(json: string, folder: string): History {
  const withoutPlace = (text: string): string =>
    text
      .replaceAll(`${folder}/home`, "/stage")
      .replaceAll(folder, "/stage")
      .replace(LOCAL_ADDRESS, "$1:1")
      .replace(PROCESS, "1@worker");
  const history = JSON.parse(json, (key, value: unknown) => {
    if (typeof value !== "string") return value;
    if (key === "identity") return "worker";
    // It names places on the machine, and is not what a replay compares.
    if (key === "stackTrace") return "";
    return key === "data" ? encoded(withoutPlace(decoded(value))) : withoutPlace(value);
  }) as History;
  const text = JSON.stringify(history, (key, value: unknown) =>
    key === "data" && typeof value === "string" ? decoded(value) : value,
  );
  for (const secret of [folder, tmpdir(), `@${hostname()}`, "played-", process.cwd()]) {
    if (text.includes(secret))
      throw new Error(`A history still tells ${JSON.stringify(secret)}: ...${around(text, secret)}...`);
  }
  return history;
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 80), at + 80);
}
