/** Reads one HTML tag, and tells what a reader of the rendered page would see of it. */
import type { Finder } from "./finder.ts";

export interface Tag {
  name: string;
  closing: boolean;
  attributes: { name: string; value: string }[];
  /** Just after the `>`. */
  end: number;
}

const NAME = /[A-Za-z][A-Za-z0-9:_-]*/y;
const ATTRIBUTE_NAME = /[^\s"'<>/=]+/y;
const SPACE = /[\s/]*/y;

/** The tag that begins at `start` (a `<`), or null when it is no tag but text. Never reads past the next `<` outside quotes. */
export function readTag(text: string, start: number, finder: Finder): Tag | null {
  if (finder.next(">", start) === -1) return null;
  const closing = text[start + 1] === "/";
  let at = start + (closing ? 2 : 1);
  const name = match(NAME, text, at);
  if (name === "") return null;
  at += name.length;
  const attributes: Tag["attributes"] = [];
  for (;;) {
    const gap = match(SPACE, text, at);
    at += gap.length;
    if (text[at] === ">") return { name: name.toLowerCase(), closing, attributes, end: at + 1 };
    if (gap === "" && attributes.length === 0) return null;
    const attribute = match(ATTRIBUTE_NAME, text, at);
    if (attribute === "") return null;
    at += attribute.length;
    const equals = /\s*=\s*/y;
    const sign = match(equals, text, at);
    let value = "";
    if (sign !== "") {
      at += sign.length;
      const quote = text[at];
      if (quote === '"' || quote === "'") {
        const close = finder.next(quote, at + 1);
        if (close === -1) return null;
        value = text.slice(at + 1, close);
        at = close + 1;
      } else {
        value = match(/[^\s"'=<>`]*/y, text, at);
        at += value.length;
      }
    }
    attributes.push({ name: attribute.toLowerCase(), value });
  }
}

/** Elements whose content no page shows. */
const NEVER_SHOWN = new Set([
  "script",
  "style",
  "template",
  "noscript",
  "iframe",
  "object",
  "embed",
  "head",
  "title",
  "textarea",
  "select",
  "datalist",
  "svg",
  "math",
  "audio",
  "video",
  "canvas",
  "noembed",
  "noframes",
  "xmp",
  "plaintext",
  "dialog",
]);
const VOID = new Set([
  "area",
  "base",
  "br",
  "col",
  "embed",
  "hr",
  "img",
  "input",
  "link",
  "meta",
  "param",
  "source",
  "track",
  "wbr",
]);
const HIDING_STYLE =
  /display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0+)?\s*(?:[;%!]|$)|font-size\s*:\s*0*[01](?:\.\d+)?\s*(?:px|pt|em|rem|%)?\s*(?:[;!]|$)|(?:^|;)\s*color\s*:\s*(?:white|#fff(?:fff)?|transparent)\b|(?:left|top|text-indent)\s*:\s*-\d{3}|clip\s*:\s*rect\(\s*0/i;

export function hidesContent(tag: Tag): boolean {
  if (NEVER_SHOWN.has(tag.name)) return true;
  return tag.attributes.some(
    ({ name, value }) =>
      name === "hidden" ||
      (name === "aria-hidden" && value.toLowerCase() !== "false") ||
      (name === "style" && HIDING_STYLE.test(value)),
  );
}

export function isVoid(tag: Tag): boolean {
  return VOID.has(tag.name);
}

/** Formatting that people write by hand; its tags say nothing, so they go without a word. */
const FORMATTING = new Set(
  "a abbr b blockquote br center cite code dd del details div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr picture source".split(
    " ",
  ),
);
const BREAKING = new Set(
  "blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul summary details".split(" "),
);

export function isFormatting(tag: Tag): boolean {
  return FORMATTING.has(tag.name);
}

export function breaksLine(tag: Tag): boolean {
  return BREAKING.has(tag.name);
}

/** Attributes whose words nobody sees. Addresses and sizes are no words. */
export function hasHiddenWords(tag: Tag): boolean {
  return tag.attributes.some(
    ({ name, value }) =>
      ![
        "href",
        "src",
        "srcset",
        "width",
        "height",
        "align",
        "open",
        "start",
        "rel",
        "target",
        "color",
        "size",
        "colspan",
        "rowspan",
        "id",
        "class",
        "name",
        "dir",
        "lang",
        "type",
      ].includes(name) &&
      (value !== "" || !/^[a-z-]{1,12}$/.test(name)),
  );
}

/** Where an element that opened before `from` ends: just after its closing tag, nesting counted; the text's end without one. */
export function skipElement(lower: string, name: string, from: number, finder: Finder): number {
  let depth = 1;
  let at = from;
  for (;;) {
    const close = finder.next(`</${name}`, at);
    if (close === -1) return lower.length;
    const open = finder.next(`<${name}`, at);
    if (open !== -1 && open < close) {
      if (/[\s/>]/.test(lower[open + name.length + 1] ?? "")) depth++;
      at = open + name.length + 1;
      continue;
    }
    at = close + name.length + 2;
    if (!/[\s/>]/.test(lower[at] ?? ">")) continue;
    depth--;
    if (depth > 0) continue;
    const end = finder.next(">", at);
    return end === -1 ? lower.length : end + 1;
  }
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}
