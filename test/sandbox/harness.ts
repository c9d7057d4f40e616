/** What the sandbox tests share: short ways to ask, and what to look for. */
import { randomBytes } from "node:crypto";
import type { CommandResult, Sandbox, SandboxCommand, Sandboxes, SandboxSpec } from "../../domain/ports.ts";

export const never = new AbortController().signal;

/** Keys of containers are seen by all tests on a machine, so each is drawn. */
export function drawKey(purpose: string): string {
  return `test-${purpose}-${randomBytes(4).toString("hex")}`;
}

export function specOf(key: string, change: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    key,
    runKey: key,
    workflowId: "issue/octo/hello/1",
    repository: "octo/hello",
    image: null,
    memory: "512m",
    cpus: 2,
    pids: 200,
    workspace: "64m",
    ...change,
  };
}

let drawn = 0;

export function run(
  sandbox: Sandbox,
  script: string,
  change: Partial<SandboxCommand> = {},
  signal = never,
): Promise<CommandResult> {
  return sandbox.run({ key: `command-${++drawn}`, script, timeoutMs: 20_000, keepBytes: 20_000, ...change }, signal);
}

/** The output of a command that must end well. */
export async function print(sandbox: Sandbox, script: string, change: Partial<SandboxCommand> = {}): Promise<string> {
  const result = await run(sandbox, script, change);
  if (result.kind !== "exited" || result.exitCode !== 0) throw new Error(`${script} ended as ${describe(result)}`);
  return textOf(result);
}

export function textOf({ output }: CommandResult): string {
  return Buffer.concat([output.head, output.tail]).toString();
}

export function describe(result: CommandResult): string {
  return `${result.kind}${result.kind === "exited" ? ` ${result.exitCode}` : ""}: ${textOf(result)}`;
}

/** A number that no other process has among its arguments: `sleep ${marker()}` is known again. */
export function marker(): string {
  return String(10_000_000 + Math.floor(Math.random() * 80_000_000));
}

/** How many processes have exactly this argument. */
export async function countProcesses(sandbox: Sandbox, argument: string): Promise<number> {
  const halves = `${argument.slice(0, 3)}''${argument.slice(3)}`;
  const script = `for file in /proc/[0-9]*/cmdline; do { while IFS= read -r -d '' word; do [[ $word == ${halves} ]] && echo found; done < $file; } 2>/dev/null; done; true`;
  return (await print(sandbox, script)).split("\n").filter((line) => line === "found").length;
}

export async function until(what: string, holds: () => Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`It did not come true within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** One implementation of the port, as the contract drives it. */
export interface Implementation {
  /** A fresh client, as another worker process would make it. */
  create(): Sandboxes & { disconnect(): void };
  /** Arguments with which `client.ts` makes the same client. */
  clientArguments: string[];
}
