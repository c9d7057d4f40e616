/* oxlint-disable no-control-regex, no-misleading-character-class -- such characters are what is looked for */
/** Takes out characters that a human does not see, written plainly or as entities. */
import type { RemovedKind, Tally } from "./tally.ts";

/**
 * One class for each kind. `u` makes a lone surrogate a code point of its own; it would make a request that Claude refuses as
 * invalid JSON, so it goes with the control characters.
 */
const KINDS: readonly (readonly [RemovedKind, RegExp])[] = [
  ["tag character", /[\u{e0000}-\u{e007f}]/gu],
  ["variation selector", /[\u180b-\u180d\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu],
  ["bidirectional control", /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu],
  ["filler character", /[\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu],
  [
    "invisible character",
    /[\u00ad\u034f\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{1bca0}-\u{1bca3}]/gu,
  ],
  [
    "control character",
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\p{Surrogate}\p{Noncharacter_Code_Point}]/gu,
  ],
];

/** Emoji carry one selector or joiner of their own: those go too, and are no reason to warn anybody. */
const EMOJI_PARTS =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}0-9#*])\ufe0f(?![\ufe00-\ufe0f])|(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d(?=\p{Extended_Pictographic})/gu;

const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,31}));/g;
const INVISIBLE_NAMES = new Set([
  "shy",
  "zwnj",
  "zwj",
  "lrm",
  "rlm",
  "ZeroWidthSpace",
  "NegativeVeryThinSpace",
  "NegativeThinSpace",
  "NegativeMediumSpace",
  "NegativeThickSpace",
  "NoBreak",
  "ApplyFunction",
  "af",
  "InvisibleTimes",
  "it",
  "InvisibleComma",
  "ic",
]);

export function removeInvisible(text: string, tally: Tally): string {
  let clean = text.replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, "\n").replaceAll(EMOJI_PARTS, "");
  clean = clean.replaceAll(ENTITY, (entity, decimal?: string, hex?: string, name?: string) => {
    const hidden =
      name !== undefined
        ? INVISIBLE_NAMES.has(name)
        : isInvisible(decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? "0", 16));
    if (hidden) tally.add("invisible character");
    return hidden ? "" : entity;
  });
  for (const [kind, pattern] of KINDS) {
    clean = clean.replaceAll(pattern, (found) => {
      tally.add(kind);
      // U+FFFD is not removed but put in place of half a character, so that its loss can be seen.
      return /\p{Surrogate}/u.test(found) ? "\ufffd" : "";
    });
  }
  return clean;
}

function isInvisible(codePoint: number): boolean {
  if (codePoint > 0x10ffff || codePoint === 9 || codePoint === 10) return false;
  const character = String.fromCodePoint(codePoint);
  return KINDS.some(([, pattern]) => new RegExp(pattern.source, "u").test(character));
}
