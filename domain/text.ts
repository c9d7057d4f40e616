/** Text on its way to people, to GitHub or to Claude: cut with a note, cleaned of control codes, made inert. */
import { MARKER_PREFIX } from "./ids.ts";

/** What GitHub takes as the body of a comment, an issue or a pull request. */
export const MAX_BODY_CHARACTERS = 65_536;

/** Head and tail, and between them what is missing. The result is never longer than `maxCharacters` (at least 100). */
export function cutMiddle(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const note = (missing: number) => `\n[... ${grouped(missing)} characters left out ...]\n`;
  const room = Math.max(0, maxCharacters - note(text.length).length);
  const head = headOf(text, Math.ceil(room / 2));
  const tail = tailOf(text, Math.floor(room / 2));
  return head + note(text.length - head.length - tail.length) + tail;
}

/** The beginning, and a note of how much is missing; fit for GitHub by default. */
export function cutEnd(text: string, maxCharacters: number = MAX_BODY_CHARACTERS): string {
  if (text.length <= maxCharacters) return text;
  const note = `\n\n[... cut: the text was ${grouped(text.length)} characters long ...]`;
  return headOf(text, Math.max(0, maxCharacters - note.length)) + note;
}

/** One line of at most so many characters, with an ellipsis where it was cut. */
export function oneLine(text: string, maxCharacters: number): string {
  // A megabyte on its way to one line is cut before it is cleaned: this also runs in workflow code, which must not be slow.
  const line = cleanText(headOf(text, 10 * maxCharacters))
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= maxCharacters ? line : `${headOf(line, maxCharacters - 1).trimEnd()}…`;
}

/**
 * A program's output as text: split UTF-8 at the cut dropped, ANSI and control codes removed, overwritten progress lines
 * reduced to what a terminal would show in the end, and a note of what was left out of the middle.
 */
export function cutOutput(
  output: { head: Uint8Array; tail: Uint8Array; totalBytes: number },
  maxCharacters: number,
): string {
  return cutMiddle(readOutput(output), maxCharacters);
}

function readOutput(output: { head: Uint8Array; tail: Uint8Array; totalBytes: number }): string {
  const missing = output.totalBytes - output.head.length - output.tail.length;
  // Fatal decoding would throw on binary output; replacement characters say the same to a reader.
  const decoder = new TextDecoder("utf-8");
  if (missing <= 0) return cleanOutput(decoder.decode(concat(output.head, output.tail)));
  const head = decoder.decode(withoutSplitEnd(output.head));
  const tail = decoder.decode(withoutSplitStart(output.tail));
  return `${cleanOutput(head)}\n[... ${grouped(missing)} bytes left out ...]\n${cleanOutput(tail)}`;
}

/** Terminal output as plain text: no ANSI codes, no control characters but line feed and tab, no invisible ones. */
export function cleanOutput(text: string): string {
  return cleanText(text)
    .split("\n")
    .map((line) => {
      const shown = line.replace(/\r+$/, "");
      return shown.slice(shown.lastIndexOf("\r") + 1);
    })
    .join("\n");
}

// Control codes are what these expressions are for.
/* oxlint-disable no-control-regex */
/** CSI, then OSC and the other strings up to their terminator, then every other escape. */
const ANSI =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]{0,4096}(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
/** All of C0 and C1 but tab, line feed and carriage return (which `cleanOutput` resolves). */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/* oxlint-enable no-control-regex */
/** Zero-width, direction overrides, fillers, tag characters, variation selectors beyond emoji's: never seen, sometimes read. */
const INVISIBLE =
  // oxlint-disable-next-line no-misleading-character-class -- single code points are what is meant
  /[\u{ad}\u{34f}\u{61c}\u{115f}-\u{1160}\u{17b4}-\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200c}\u{200e}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{fe00}-\u{fe0e}\u{feff}\u{ffa0}\u{fff9}-\u{fffb}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** With a sign in the place of each half of a character: what was cut elsewhere can be sent all the same. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, "\ufffd");
}

/** Without ANSI codes, control and invisible characters and lone surrogates; carriage returns stay. */
export function cleanText(text: string): string {
  return wellFormed(text).replace(ANSI, "").replace(CONTROL, "").replace(INVISIBLE, "");
}

/** A Markdown code block that its content cannot close. */
export function fence(text: string, info = ""): string {
  const clean = disarmMarkers(cleanOutput(text)).replace(/\n+$/, "");
  const longest = Math.max(2, ...Array.from(clean.matchAll(/`+/g), (run) => run[0].length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${info}\n${clean}\n${ticks}`;
}

/** For text between tags of ours. */
export function escapeHtml(text: string): string {
  return oneLine(text, 1_000)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A code span that its content cannot close; one line. */
export function codeSpan(text: string): string {
  const clean = disarmMarkers(oneLine(text, 500));
  const longest = Math.max(0, ...Array.from(clean.matchAll(/`+/g), (run) => run[0].length));
  const ticks = "`".repeat(longest + 1);
  const pad = clean.startsWith("`") || clean.endsWith("`") || clean === "" ? " " : "";
  return `${ticks}${pad}${clean}${pad}${ticks}`;
}

/** Text from outside for a line of Markdown: shown as it is, without any of its powers. */
export function inertLine(text: string, maxCharacters = 300): string {
  return inert(oneLine(text, maxCharacters), (plain) => disarm(plain).replace(/[*_~|]/g, "\\$&")).replace(
    /^[#>+=-]/,
    "\\$&",
  );
}

/**
 * Text from outside that may keep its paragraphs, lists, emphasis and code, but notifies nobody, closes nothing, loads no image,
 * makes no link or HTML, hides nothing, and cannot reach beyond its own end.
 */
export function inertMarkdown(text: string): string {
  const lines: string[] = [];
  let open: { mark: string; length: number } | null = null;
  for (const raw of disarmMarkers(cleanText(text)).replace(/\r\n?/g, "\n").split("\n")) {
    // Only at the margin: an indented fence may belong to a list item, and would end with it unseen.
    const mark: RegExpExecArray | null = open
      ? /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(raw)
      : /^(`{3,}(?=[^`]*$)|~{3,})/.exec(raw);
    const run: string | undefined = mark?.[1];
    if (open) {
      lines.push(raw);
      if (run && run[0] === open.mark && run.length >= open.length) open = null;
    } else if (run) {
      lines.push(run + raw.slice(run.length).replace(/[^A-Za-z0-9+#.-]/g, ""));
      open = { mark: run[0]!, length: run.length };
    } else lines.push(withoutHeading(inert(raw)));
  }
  if (open) lines.push(open.mark.repeat(open.length));
  return lines.join("\n");
}

/** One line: code spans kept, everything between them disarmed, so that what we take for code is what GitHub takes for code. */
function inert(line: string, plain: (text: string) => string = disarm): string {
  let result = "";
  let rest = disarmMarkers(line);
  for (;;) {
    const span = /(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/.exec(rest);
    if (!span) return result + plain(rest);
    result += plain(rest.slice(0, span.index)) + span[0];
    rest = rest.slice(span.index + span[0].length);
  }
}

/** Backslashes first: one that we left alone would take the power from one of ours, or from the backtick behind it. */
function disarm(text: string): string {
  return text
    .replace(/[\\`[\]]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/#(?=\d)/g, "#&#8203;")
    .replace(/@(?=[A-Za-z0-9])/g, "@&#8203;")
    .replace(/\bGH-(?=\d)/gi, "$&&#8203;")
    .replace(/\/(?:issues|pull|discussions)\/(?=\d)/gi, "$&&#8203;");
}

/** A heading of theirs could pass for one of our sections. */
function withoutHeading(line: string): string {
  return line
    .replace(/^((?:[\s>*+-]|\d{1,9}[.)])*)(#{1,6}(?=\s|$))/, "$1\\$2")
    .replace(/^(\s*)([=-])(?=[=-]*\s*$)/, "$1\\$2");
}

/**
 * For commit messages and titles, which are no Markdown: mentions and references lose their sign, and with it their power; nothing
 * switches checks off, and no trailer names an author who is none.
 */
export function inertPlain(text: string): string {
  return cleanText(text)
    .replace(/\r\n?/g, "\n")
    .replace(/(?<![A-Za-z0-9])@(?=[A-Za-z0-9])/g, "")
    .replace(/#(?=\d)/g, "")
    .replace(/\bGH-(?=\d)/gi, "")
    .replace(/https?:\/\/(\S+\/(?:issues|pull|discussions)\/\d)/gi, "$1")
    .replace(/\[((?:skip|no)[ -]ci|ci[ -]skip|skip[ -]actions|actions[ -]skip)\]/gi, "($1)")
    .replace(/\*\*\*NO_CI\*\*\*/gi, "NO_CI")
    .replace(/^([ \t]*)([A-Za-z][A-Za-z-]*-(?:by|to|checks)):/gim, "$1$2 -");
}

/** Nobody but us writes our markers. */
function disarmMarkers(text: string): string {
  return text.replaceAll(MARKER_PREFIX, MARKER_PREFIX.replace("<!--", "<! --"));
}

/** At most so many from the beginning, and no half of a character: it would make a request that Claude, GitHub and Qdrant refuse. */
export function headOf(text: string, characters: number): string {
  const cut = text.slice(0, characters);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** The same from the end. */
export function tailOf(text: string, characters: number): string {
  const cut = characters === 0 ? "" : text.slice(-characters);
  return /^[\udc00-\udfff]/.test(cut) ? cut.slice(1) : cut;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** A character of up to four bytes that the cut went through is left out. */
function withoutSplitEnd(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

function withoutSplitStart(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < Math.min(3, bytes.length) && (bytes[from]! & 0xc0) === 0x80) from++;
  return bytes.subarray(from);
}
