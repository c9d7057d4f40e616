/** What a benchmark is told on its command line. What it does not know ends it with its usage: a wrong word must not measure something else. */
import { parseArgs } from "node:util";

export type Flag =
  /** A whole number; null: none unless it is told. */
  | { kind: "count"; default: number | null; atLeast?: number }
  | { kind: "choice"; default: string | null; choices: readonly string[] }
  | { kind: "switch" }
  /** Words without a flag: the folders to be measured; the present one unless some are told. */
  | { kind: "folders" };

export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends { kind: "switch" }
  ? boolean
  : F extends { kind: "folders" }
    ? string[]
    : F extends { kind: "count" }
      ? number | Extract<F["default"], null>
      : F extends { kind: "choice" }
        ? F["choices"][number] | Extract<F["default"], null>
        : never;

export type ValuesOf<F extends Flags> = { [Name in keyof F]: ValueOf<F[Name]> };

/**
 * Ends the process with code 2 and the usage when the words do not fit, or `refuse` finds something against the values; with code 0
 * and the usage where that is asked for.
 */
export function readArguments<const F extends Flags>(
  usage: string,
  flags: F,
  refuse: (values: ValuesOf<F>) => string | null = () => null,
): ValuesOf<F> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  const read = parseFlags(args, flags);
  const problem = "wrong" in read ? read.wrong : refuse(read.values);
  if ("values" in read && problem === null) return read.values;
  return refuseArguments(`${problem}\n${usage}`);
}

/** What is wrong was found only when the values were used. */
export function refuseArguments(problem: string): never {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}

export function parseFlags<const F extends Flags>(
  args: readonly string[],
  flags: F,
): { values: ValuesOf<F> } | { wrong: string } {
  const entries = Object.entries<Flag>(flags);
  const named = entries.filter(([, { kind }]) => kind !== "folders");
  const options = named.map(([name, { kind }]) => [name, { type: kind === "switch" ? "boolean" : "string" }] as const);
  const allowPositionals = named.length < entries.length;
  let told: Readonly<Record<string, unknown>>;
  let words: string[];
  try {
    const parsed = parseArgs({ args: [...args], allowPositionals, options: Object.fromEntries(options) });
    told = parsed.values;
    words = parsed.positionals;
  } catch (error) {
    return { wrong: (error as Error).message };
  }
  const values: Record<string, unknown> = {};
  for (const [name, flag] of entries) {
    if (flag.kind === "folders") {
      values[name] = words.length > 0 ? words : ["."];
      continue;
    }
    const value = valueOf(flag, told[name] as string | boolean | undefined);
    if (value instanceof Error) return { wrong: `--${name} ${String(told[name])}: ${value.message}` };
    values[name] = value;
  }
  return { values: values as ValuesOf<F> };
}

function valueOf(flag: Exclude<Flag, { kind: "folders" }>, told: string | boolean | undefined): unknown {
  if (flag.kind === "switch") return told ?? false;
  if (told === undefined) return flag.default;
  const word = String(told);
  if (flag.kind === "choice") {
    return flag.choices.includes(word) ? word : new Error(`one of ${flag.choices.join(", ")}.`);
  }
  const atLeast = flag.atLeast ?? 1;
  const fits = /^\d{1,9}$/.test(word) && Number(word) >= atLeast;
  return fits ? Number(word) : new Error(`a whole number from ${atLeast} on.`);
}
