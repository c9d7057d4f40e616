/** citty takes whatever it does not know. A mistyped option must not be passed over, so each is looked at before. */
import type { ArgDef, ArgsDef } from "citty";
import { nearest } from "../config/suggest.ts";
import { UsageError } from "./errors.ts";

/** Throws UsageError for the first thing that is wrong. */
export function checkArguments(raw: readonly string[], definitions: ArgsDef, command: string): void {
  const options = new Map<string, { name: string; definition: ArgDef }>();
  const positionals: [string, ArgDef][] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type === "positional") {
      positionals.push([name, definition]);
      continue;
    }
    options.set(`--${name}`, { name, definition });
    const aliases = "alias" in definition ? [definition.alias ?? []].flat() : [];
    for (const alias of aliases) options.set(alias.length === 1 ? `-${alias}` : `--${alias}`, { name, definition });
  }
  const fail = (message: string): never => {
    throw new UsageError(message, command);
  };

  const given = new Set<string>();
  const words: string[] = [];
  for (let index = 0; index < raw.length; index++) {
    const word = raw[index]!;
    if (word === "--") {
      words.push(...raw.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    const flag = word.split("=", 1)[0]!;
    const known = options.get(flag) ?? fail(unknown(flag, options.keys()));
    if (given.has(known.name)) fail(`${flag} is given twice. Keep one of them.`);
    given.add(known.name);
    if (known.definition.type === "boolean") {
      if (word !== flag) fail(`${flag} takes no value. Write ${flag} alone.`);
      continue;
    }
    const value = word === flag ? raw[++index] : word.slice(flag.length + 1);
    const hint =
      "valueHint" in known.definition && known.definition.valueHint
        ? known.definition.valueHint
        : known.name.toUpperCase();
    if (value === undefined || value === "" || (word === flag && value.startsWith("-") && value !== "-"))
      fail(`${flag} needs a value: ${flag} ${hint}.`);
  }

  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type !== "positional" && definition.required && !given.has(name)) {
      fail(
        `--${name} is missing. Write --${name} ${"valueHint" in definition && definition.valueHint ? definition.valueHint : name.toUpperCase()}.`,
      );
    }
  }
  const needed = positionals.filter(([, definition]) => definition.required !== false);
  if (words.length < needed.length) fail(`${needed[words.length]![0].toUpperCase()} is missing.`);
  if (words.length > positionals.length) fail(`"${words[positionals.length]}" is one argument too many.`);
}

function unknown(flag: string, known: Iterable<string>): string {
  const near = nearest(
    flag,
    [...known].filter((name) => name.startsWith("--")),
  );
  return `There is no option ${flag}.${near ? ` Did you mean ${near}?` : ""}`;
}
