/** Edits of a text as pure functions, with refusals that tell how to do it right. */

export type Edited =
  | { kind: "edited"; text: string; firstLine: number; lastLine: number }
  | { kind: "impossible"; reason: string };

/** Replaces the one occurrence of `old`. In a file with CRLF line ends, texts written with LF are taken to mean them. */
export function replaceOnce(text: string, old: string, replacement: string): Edited {
  if (old === "")
    return impossible("old_str is empty. Give the text to be replaced, or use the command insert or create.");
  if (old === replacement) return impossible("old_str and new_str are the same.");
  let from = old;
  let to = replacement;
  if (!text.includes(from) && text.includes("\r\n") && !from.includes("\r")) {
    from = from.replaceAll("\n", "\r\n");
    to = to.replaceAll(/\r?\n/g, "\r\n");
  }
  const first = text.indexOf(from);
  if (first === -1)
    return impossible(
      `old_str was not found.${nearMiss(text, old)} It must match exactly, with all blanks and indentation.`,
    );
  const count = text.split(from).length - 1;
  if (count > 1 || text.indexOf(from, first + 1) !== -1) {
    const lines = occurrences(text, from);
    return impossible(
      `old_str occurs ${lines.length} times (lines ${lines.slice(0, 10).join(", ")}${lines.length > 10 ? ", ..." : ""}). Add lines around it until it occurs once.`,
    );
  }
  const edited = text.slice(0, first) + to + text.slice(first + from.length);
  const firstLine = lineAt(text, first);
  return { kind: "edited", text: edited, firstLine, lastLine: firstLine + to.split("\n").length - 1 };
}

/** Inserts after line `after`; 0 is before the first line. The text becomes whole lines. */
export function insertLines(text: string, after: number, inserted: string): Edited {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const ends = text === "" || text.endsWith("\n");
  const lines = text === "" ? [] : (ends ? text.slice(0, -1) : text).split("\n");
  if (after > lines.length)
    return impossible(`insert_line is ${after}, and the file has ${lines.length} lines: give 0 to ${lines.length}.`);
  const added = inserted.replace(/\r?\n$/, "").split(/\r?\n/);
  const carriage = newline === "\r\n" ? "\r" : "";
  const all = [...lines.slice(0, after), ...added.map((line) => line + carriage), ...lines.slice(after)];
  // A last line without its line end gets one when something follows it.
  if (!ends && after === lines.length && carriage) all[after - 1] += carriage;
  const joined = all.join("\n");
  const keepOpen = !ends && after < lines.length;
  return {
    kind: "edited",
    text: keepOpen ? joined : `${joined}\n`,
    firstLine: after + 1,
    lastLine: after + added.length,
  };
}

/** Lines of the result around an edit, four on each side, at most sixty. */
export function snippet(text: string, firstLine: number, lastLine: number): { lines: string[]; first: number } {
  const lines = text.split("\n");
  const first = Math.max(1, firstLine - 4);
  return { lines: lines.slice(first - 1, Math.min(lastLine + 4, first + 59)), first };
}

/** As `cat -n` prints them. */
export function numberLines({ lines, first }: { lines: readonly string[]; first: number }): string {
  return lines.map((line, index) => `${String(first + index).padStart(6)}\t${line.replace(/\r$/, "")}`).join("\n");
}

function occurrences(text: string, part: string): number[] {
  const lines: number[] = [];
  let line = 1;
  let seen = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    for (; seen < at; seen++) if (text[seen] === "\n") line++;
    lines.push(line);
  }
  return lines;
}

/** The most frequent mistake: right words, wrong blanks. */
function nearMiss(text: string, old: string): string {
  const flat = (line: string): string => line.trim().replaceAll(/\s+/g, " ");
  const wanted = old
    .split("\n")
    .map(flat)
    .find((line) => line !== "");
  if (wanted === undefined) return "";
  const at = text.split("\n").findIndex((line) => flat(line) === wanted);
  return at === -1 ? "" : ` Line ${at + 1} is alike but for its blanks, or what follows differs; view it and copy it.`;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

function impossible(reason: string): Edited {
  return { kind: "impossible", reason };
}
