/**
 * An issue's text may begin with a dash ("- the total is wrong"). No option has a space in its name, so such a word is a text: it
 * goes behind `--`, where texts are taken as they are.
 */
export function textsLast(words: readonly string[]): string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const before = words.slice(0, end);
  const texts = before.filter(isText);
  if (texts.length === 0) return [...words];
  return [...before.filter((word) => !isText(word)), "--", ...texts, ...words.slice(end + 1)];
}

function isText(word: string): boolean {
  return /^-[^=]*\s/.test(word);
}
