/** Whether a secret can be read where none may stand: logs, all that is on GitHub, and what was said to Claude. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../../../demo/github/world.ts";

export interface Places {
  /** The folder of the played GitHub. */
  github: string;
  logs: readonly string[];
  /** Whatever else was sent somewhere. */
  texts: readonly string[];
  /** All that the product holds. */
  secrets: readonly string[];
}

/** One line for each secret that was found, which does not tell the secret. */
export function secretsIn({ github, logs, texts, secrets }: Places): string[] {
  const world = JSON.parse(readFileSync(join(github, "world.json"), "utf8")) as World;
  const minted = world.installationTokens.map(({ token }) => token);
  const kept = ["ledger.jsonl", "deliveries.jsonl"].map((name) => join(github, name));
  const places: [string, string][] = [
    // Issues, comments, pull requests, reviews, statuses and checks. Who may sign in with what stands elsewhere in it.
    ["GitHub", JSON.stringify(world.repositories)],
    ...[...kept, ...logs].filter((file) => existsSync(file)).map((file): [string, string] => [file, read(file)]),
    ["Claude", texts.join("\n")],
  ];
  return [...secrets, ...minted].flatMap((secret, index) =>
    places
      .filter(([, text]) => formsOf(secret).some((form) => text.includes(form)))
      .map(([place]) => `secret ${index + 1} of ${secret.length} characters stands in: ${place}`),
  );
}

/** As they travel, and as they are written down. A key of several lines is a secret in each. */
function formsOf(secret: string): string[] {
  const lines = secret.split("\n").filter((line) => line.length >= 32);
  return [secret, ...(secret.includes("\n") ? lines : [])].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    ...["base64", "base64url", "hex"].map((form) => Buffer.from(text).toString(form as BufferEncoding)),
  ]);
}

function read(file: string): string {
  return readFileSync(file, "utf8");
}
