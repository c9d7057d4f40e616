/**
 * Takes out of GitHub's Markdown what its rendered page does not show, and marks what it folds away. Code is left as it is: there,
 * `<!-- -->` is what the issue is about. One pass, linear in the length: issue bodies come from strangers.
 */
import { Finder, matchComments } from "./finder.ts";
import { readDefinition, readDestination } from "./links.ts";
import {
  breaksLine,
  hasHiddenWords,
  hidesContent,
  isFormatting,
  isVoid,
  readTag,
  skipElement,
  type Tag,
} from "./tags.ts";
import type { Tally } from "./tally.ts";

export function removeHiddenMarkup(text: string, tally: Tally): string {
  return new Scanner(text.replaceAll(/^[ \t]+$/gm, ""), tally).run();
}

const FENCE = / {0,3}(`{3,}|~{3,})([^\n]*)/y;
const HTML_BLOCK = / {0,3}<[/!?A-Za-z]/y;
const AUTOLINK = /<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]{1,64}@[^\s<>]{1,255})>/y;

class Scanner {
  private readonly text: string;
  private readonly lower: string;
  private readonly tally: Tally;
  private readonly finder: Finder;
  private readonly lowerFinder: Finder;
  private readonly comments: Map<number, number>;
  private readonly out: string[] = [];
  /** Visible characters emitted so far: tells whether a link has any text, without looking at it again. */
  private visible = 0;
  private brackets: { out: number; visible: number; image: boolean }[] = [];
  /** Inside a block of HTML neither fences nor code spans nor backslashes mean anything, up to the next blank line. */
  private inHtmlBlock = false;
  /** Last position of a run of backticks, by its length, in the current line. */
  private codeClosers = new Map<number, number>();
  private at = 0;

  constructor(text: string, tally: Tally) {
    this.text = text;
    this.lower = text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
    this.tally = tally;
    this.finder = new Finder(text);
    this.lowerFinder = new Finder(this.lower);
    this.comments = matchComments(text);
  }

  run(): string {
    let lineStart = true;
    while (this.at < this.text.length) {
      if (lineStart) {
        lineStart = false;
        if (this.startLine()) {
          lineStart = true;
          continue;
        }
      }
      const character = this.text[this.at]!;
      if (character === "\n") {
        this.emit("\n");
        this.at++;
        lineStart = true;
      } else if (character === "\\" && !this.inHtmlBlock && this.text[this.at + 1] !== "\n") {
        this.emit(this.text.slice(this.at, this.at + 2));
        this.at += 2;
      } else if (character === "`" && !this.inHtmlBlock) {
        this.copyCode();
      } else if (character === "<") {
        this.angle();
      } else if (character === "[" || (character === "!" && this.text[this.at + 1] === "[")) {
        this.openBracket(character === "!");
      } else if (character === "]") {
        this.closeBracket();
      } else {
        this.copyPlain();
      }
    }
    return this.out.join("");
  }

  /** True when the line was dealt with as a whole. */
  private startLine(): boolean {
    this.codeClosers.clear();
    if (this.text[this.at] === "\n") {
      this.inHtmlBlock = false;
      this.brackets = [];
      return false;
    }
    if (!this.inHtmlBlock && this.copyFence()) return true;
    const definition = readDefinition(this.text, this.at, this.finder);
    if (definition !== null) {
      this.tally.add(definition.kind);
      this.at = Math.min(definition.end + 1, this.text.length);
      return true;
    }
    if (this.matches(HTML_BLOCK) !== null && this.matches(AUTOLINK) === null) this.inHtmlBlock = true;
    this.indexCode();
    return false;
  }

  private copyFence(): boolean {
    const match = this.matches(FENCE);
    if (match === null) return false;
    const [line, fence = "", info = ""] = match;
    if (fence.startsWith("`") && info.includes("`")) return false;
    const words = info.trim().split(/\s+/);
    if (words.length > 1) this.tally.add("code fence note");
    this.emit(`${fence}${words[0] ?? ""}\n`);
    this.brackets = [];
    this.at += line.length + 1;
    const isEnd = new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},}[ \\t]*$`);
    while (this.at < this.text.length) {
      const end = this.finder.next("\n", this.at);
      const stop = end === -1 ? this.text.length : end;
      const codeLine = this.text.slice(this.at, stop);
      this.emit(codeLine + "\n");
      this.at = stop + 1;
      if (codeLine.length < 1000 && isEnd.test(codeLine)) break;
    }
    return true;
  }

  private indexCode(): void {
    const end = this.finder.next("\n", this.at);
    const line = this.text.slice(this.at, end === -1 ? this.text.length : end);
    for (const run of line.matchAll(/`+/g)) this.codeClosers.set(run[0].length, this.at + run.index);
  }

  /** A code span closes with as many backticks as it opened with, in the same line; without a closer the run is text. */
  private copyCode(): void {
    let length = 1;
    while (this.text[this.at + length] === "`") length++;
    let end = this.at + length;
    if ((this.codeClosers.get(length) ?? -1) > this.at) {
      for (;;) {
        const tick = this.text.indexOf("`", end);
        if (tick === -1) break;
        let run = 1;
        while (this.text[tick + run] === "`") run++;
        end = tick + run;
        if (run === length) break;
      }
    }
    this.emit(this.text.slice(this.at, end));
    this.at = end;
  }

  private angle(): void {
    if (this.text.startsWith("<!--", this.at)) return this.dropTo(this.endOfComment(), "comment");
    if (this.text.startsWith("<?", this.at)) return this.dropTo(this.endAfter("?>"), "comment");
    if (/^<!(?:[A-Za-z]|\[CDATA\[)/.test(this.text.slice(this.at, this.at + 9))) {
      return this.dropTo(this.endAfter(this.text[this.at + 2] === "[" ? "]]>" : ">"), "comment");
    }
    const autolink = this.matches(AUTOLINK);
    if (autolink !== null) {
      this.emit(autolink[0]);
      this.at += autolink[0].length;
      return;
    }
    const tag = readTag(this.text, this.at, this.finder);
    if (tag === null) {
      this.emit("<");
      this.at++;
    } else {
      this.tag(tag);
    }
  }

  private tag(tag: Tag): void {
    if (!tag.closing && hidesContent(tag)) {
      const end = isVoid(tag) ? tag.end : skipElement(this.lower, tag.name, tag.end, this.lowerFinder);
      return this.dropTo(end, "hidden element");
    }
    if (!isFormatting(tag) && tag.name !== "img" && tag.attributes.length === 0) {
      // `List<String>`, `<T>`: people forget the backticks. A bare name has no room to hide words in, unless it is long.
      if (tag.name.length <= 40) {
        this.emit(this.text.slice(this.at, tag.end));
        this.at = tag.end;
        return;
      }
      return this.dropTo(tag.end, "hidden element");
    }
    this.at = tag.end;
    if (tag.name === "img") {
      this.tally.add("image text");
      return this.emit("[image]");
    }
    if (tag.name === "details") {
      if (!tag.closing) this.tally.add("folded section");
      return this.emit(tag.closing ? "\n[end of folded section]\n" : "\n[folded section]\n");
    }
    if (!isFormatting(tag) || hasHiddenWords(tag)) this.tally.add("attribute text");
    if (breaksLine(tag)) this.emit("\n");
    else this.separate();
  }

  private openBracket(image: boolean): void {
    this.brackets.push({ out: this.out.length, visible: this.visible, image });
    this.emit(image ? "![" : "[");
    this.at += image ? 2 : 1;
  }

  private closeBracket(): void {
    const open = this.brackets.pop();
    const after = this.at + 1;
    const destination =
      this.text[after] === "(" && open !== undefined ? readDestination(this.text, after, this.finder) : null;
    if (open === undefined || (!open.image && destination === null)) {
      this.emit("]");
      this.at = after;
      return;
    }
    const hasText = this.visible > open.visible + 1;
    if (destination?.hasTitle) this.tally.add("link title");
    if (open.image) {
      this.out.length = open.out;
      this.visible = open.visible;
      this.tally.add("image text");
      this.emit("[image]");
      this.at = destination?.end ?? this.endOfReference(after);
    } else if (hasText) {
      this.emit(`](${destination?.url ?? ""})`);
      this.at = destination?.end ?? after;
    } else {
      this.out.length = open.out;
      this.tally.add("empty link");
      this.at = destination?.end ?? after;
    }
  }

  /** `![words][name]`: the name belongs to the image. */
  private endOfReference(after: number): number {
    if (this.text[after] !== "[") return after;
    const close = this.finder.next("]", after);
    return close === -1 || close - after > 1000 ? after : close + 1;
  }

  private endOfComment(): number {
    if (this.text.startsWith("<!-->", this.at)) return this.at + 5;
    if (this.text.startsWith("<!--->", this.at)) return this.at + 6;
    const close = this.comments.get(this.at) ?? this.finder.next("-->", this.at);
    return close === -1 ? this.text.length : close + 3;
  }

  private endAfter(what: string): number {
    const found = this.finder.next(what, this.at);
    return found === -1 ? this.text.length : found + what.length;
  }

  private dropTo(end: number, kind: "comment" | "hidden element"): void {
    this.tally.add(kind);
    this.at = end;
    this.separate();
  }

  /** What stood on both sides of something removed must not join into new markup. */
  private separate(): void {
    if (/[<![\]&-]$/.test(this.out.at(-1) ?? "")) this.out.push(" ");
  }

  private copyPlain(): void {
    const plain = /[^\n\\`<[!\]]+|!/y;
    plain.lastIndex = this.at;
    const run = plain.exec(this.text)?.[0] ?? this.text[this.at]!;
    this.emit(run);
    this.at += run.length;
  }

  private emit(text: string): void {
    this.out.push(text);
    if (text.trim() !== "") this.visible += 1;
  }

  private matches(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }
}
