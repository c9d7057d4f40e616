/** A unified diff, as the files and lines that it removes and adds. Reads what git prints; never throws. */
export interface PatchFile {
  /** Before and after; null where there is none (added, deleted). */
  oldPath: string | null;
  newPath: string | null;
  removed: string[];
  added: string[];
}

export function readPatch(patch: string): PatchFile[] {
  const files: PatchFile[] = [];
  let file: PatchFile | null = null;
  // Lines left in the hunk by its own header: a removed line may itself look like `--- a/x`.
  let oldLeft = 0;
  let newLeft = 0;
  for (const line of patch.split("\n")) {
    if (file && (oldLeft > 0 || newLeft > 0)) {
      const mark = line[0];
      if (mark === "-") {
        file.removed.push(line.slice(1));
        oldLeft -= 1;
      } else if (mark === "+") {
        file.added.push(line.slice(1));
        newLeft -= 1;
      } else if (mark !== "\\") {
        oldLeft -= 1;
        newLeft -= 1;
      }
      continue;
    }
    if (line.startsWith("diff --git ")) {
      file = { oldPath: null, newPath: null, removed: [], added: [] };
      files.push(file);
    } else if (!file) continue;
    else if (line.startsWith("--- ")) file.oldPath = pathOf(line.slice(4), "a/");
    else if (line.startsWith("+++ ")) file.newPath = pathOf(line.slice(4), "b/");
    else if (line.startsWith("rename from ")) file.oldPath = unquote(line.slice(12));
    else if (line.startsWith("rename to ")) file.newPath = unquote(line.slice(10));
    else {
      const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
      if (hunk) {
        oldLeft = Number(hunk[1] ?? 1);
        newLeft = Number(hunk[2] ?? 1);
      }
    }
  }
  return files;
}

function pathOf(text: string, prefix: string): string | null {
  const path = unquote(text);
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };

/** Git puts a path with odd characters into quotes, C style, and a tab behind one with spaces. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text.replace(/\t$/, "");
  const bytes: number[] = [];
  const inner = text.slice(1, text.lastIndexOf('"'));
  for (const [token] of inner.matchAll(/\\[0-7]{3}|\\[^]|[^\\]+/g)) {
    if (!token.startsWith("\\")) bytes.push(...new TextEncoder().encode(token));
    else if (token.length === 4) bytes.push(Number.parseInt(token.slice(1), 8));
    else bytes.push(ESCAPES[token[1]!] ?? token.codePointAt(1)!);
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
