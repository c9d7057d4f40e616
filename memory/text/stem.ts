/**
 * Brings the forms of an English word together: parser, parsing, parsed and parse become one. It cuts more than a dictionary would
 * allow, because code names things by verbs where people write nouns ("validate", "validation", "validator").
 */
export function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  let stemmed = plural(word);
  for (const [ending, replacement, least] of ENDINGS) {
    if (stemmed.length - ending.length < least || !stemmed.endsWith(ending)) continue;
    stemmed = stemmed.slice(0, -ending.length) + replacement;
    break;
  }
  // stopp(ed), runn(ing), form(at)t(er)
  if (stemmed.length > 3 && /([^aeiouls])\1$/.test(stemmed)) stemmed = stemmed.slice(0, -1);
  if (stemmed.length > 3 && stemmed.endsWith("e")) stemmed = stemmed.slice(0, -1);
  if (stemmed.length > 3 && stemmed.endsWith("y")) stemmed = `${stemmed.slice(0, -1)}i`;
  return stemmed;
}

/** An ending, what stands for it, and how many letters must be left. The first that fits is taken. */
const ENDINGS: readonly (readonly [ending: string, replacement: string, least: number])[] = [
  ["ization", "iz", 3],
  ["isation", "iz", 3],
  ["ising", "iz", 4],
  ["ised", "iz", 4],
  ["izing", "iz", 3],
  ["izer", "iz", 3],
  ["ized", "iz", 3],
  ["ize", "iz", 3],
  ["ise", "iz", 4],
  ["ification", "ifi", 2],
  ["ications", "icat", 3],
  ["ication", "icat", 3],
  ["ations", "at", 3],
  ["ation", "at", 3],
  ["ating", "at", 3],
  ["ator", "at", 3],
  ["ated", "at", 3],
  ["ative", "at", 3],
  ["ate", "at", 3],
  ["ction", "ct", 2],
  ["ctor", "ct", 2],
  ["ption", "pt", 3],
  ["sion", "s", 3],
  ["tion", "t", 3],
  ["fully", "", 3],
  ["ness", "", 3],
  ["ments", "", 4],
  ["ment", "", 4],
  ["ably", "", 4],
  ["able", "", 4],
  ["ingly", "", 4],
  ["edly", "", 4],
  ["ally", "al", 3],
  ["ing", "", 3],
  ["ied", "y", 2],
  ["eed", "eed", 1],
  ["ed", "", 3],
  ["ly", "", 4],
  ["er", "", 3],
  ["or", "", 4],
];

function plural(word: string): string {
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ss|sh|ch|x|zz)es$/.test(word)) return word.slice(0, -2);
  if (word.endsWith("s") && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1);
  return word;
}
