/** The command server's script: the Perl files of `command-server/`, in one piece, as `perl -e` takes them. */
import { readFileSync } from "node:fs";

/** In this order: the first declares what all of them use. */
const PARTS = ["server", "commands", "journal", "supervisor", "bash", "processes", "files"];

let script: string | undefined;

/** The command line of a server for the sandbox that stands under `root`. */
export function commandServer(root: string, kind: "docker" | "local", sandbox: string): [string, ...string[]] {
  script ??= PARTS.map((part) => readFileSync(new URL(`./command-server/${part}.pl`, import.meta.url), "utf8")).join(
    "\n",
  );
  return ["perl", "-e", script, "--", root, kind, sandbox];
}
