/** Reads a YAML file and remembers where everything stands in it, so that a problem can say line and column. */
import { readFileSync } from "node:fs";
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document, type Pair } from "yaml";

export type Path = readonly PropertyKey[];

export interface YamlFile {
  /** Plain data; `{}` for an empty file. */
  value: Record<string, unknown>;
  /** `FILE:LINE:COLUMN` of what stands at the path, or of the nearest thing around it. */
  locate(path: Path): string;
}

export type YamlRead = { kind: "read"; file: YamlFile } | { kind: "broken"; problems: string[] };

/** More than anybody writes by hand; a larger file was named by mistake. */
const MAX_BYTES = 1_000_000;

/** Throws what `readFileSync` throws (ENOENT, EISDIR, EACCES). `name` stands in messages. */
export function readYamlFile(path: string, name: string): YamlRead {
  const text = readFileSync(path, "utf8");
  if (text.length > MAX_BYTES)
    return { kind: "broken", problems: [`${name}: over 1 MB long. Is this the right file?`] };
  return parseYaml(text, name);
}

export function parseYaml(text: string, name: string): YamlRead {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return {
      kind: "broken",
      problems: document.errors.map((error) => `${where(error.pos[0])}: ${hint(error.code, error.message)}`),
    };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Unresolved or exploding aliases are found only here.
    return { kind: "broken", problems: [`${name}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  if (value === null || value === undefined) value = {};
  if (typeof value !== "object" || Array.isArray(value)) {
    return {
      kind: "broken",
      problems: [`${name}:1:1: this is not a set of settings. Write lines such as \`auto_merge: false\`.`],
    };
  }
  return {
    kind: "read",
    file: { value: value as Record<string, unknown>, locate: (path) => where(offsetOf(document, path)) },
  };
}

/** The key's place for a setting, the item's for a list. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === String(step));
      if (!pair) break;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isNode(node) && "items" in node && Array.isArray(node.items)) {
      node = node.items[Number(step)];
      if (isNode(node) && node.range) offset = node.range[0];
    } else break;
  }
  return offset;
}

function hint(code: string, message: string): string {
  const sentence = message.replace(/[.\s]+$/, "");
  switch (code) {
    case "DUPLICATE_KEY":
      return `${sentence}: this setting stands in the file twice. Keep one of them.`;
    case "MULTIPLE_DOCS":
      return "a second document begins here, and only one is read. Remove the line `---`.";
    case "TAB_AS_INDENT":
      return `${sentence}. Indent with spaces.`;
    default:
      return `this is not valid YAML: ${sentence}.`;
  }
}
