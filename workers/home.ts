/** The name of this worker's home: workers that share a machine, a state directory and an engine share their sandboxes. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "../config/config.ts";

/** The same after every restart, so that a run finds its sandboxes again. */
export function homeId({ home, execution }: Pick<Config, "home" | "execution">, host: string = hostname()): string {
  const parts = [host, home, execution.mode, execution.mode === "docker" ? (execution.dockerHost ?? "") : ""];
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 8);
  const readable = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, "-")
    .slice(0, 40);
  return `${readable}-${digest}`;
}
