/** Splits a simple shell script into commands and words, and gives up on everything that is not simple. */

export interface Word {
  text: string;
  /** Holds a wildcard outside quotes: the shell may put any file name in its place. */
  wild: boolean;
}

/** Redirections that touch no file. Only where they stand as words of their own. */
const HARMLESS_REDIRECTION = /(?<=\s)(?:[12]?>\s?\/dev\/null|2>&1)(?=[\s;|]|&&|$)/g;

/**
 * The commands of a script joined by `|`, `||`, `&&`, `;` or line ends; null when it holds anything else: expansions, substitutions,
 * redirections, background jobs, groups, comments, continued lines.
 */
export function splitScript(script: string): Word[][] | null {
  const text = script.replaceAll(HARMLESS_REDIRECTION, " ");
  const commands: Word[][] = [];
  let words: Word[] = [];
  let word: Word | null = null;
  const add = (piece: string, wild = false): void => {
    word = { text: (word?.text ?? "") + piece, wild: (word?.wild ?? false) || wild };
  };
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  const endCommand = (): boolean => {
    endWord();
    if (words.length === 0) return false;
    commands.push(words);
    words = [];
    return true;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    switch (character) {
      case " ":
      case "\t":
        endWord();
        break;
      case "'": {
        const close = text.indexOf("'", at + 1);
        if (close === -1) return null;
        add(text.slice(at + 1, close));
        at = close;
        break;
      }
      case '"': {
        const inside = readDoubleQuoted(text, at + 1);
        if (inside === null) return null;
        add(inside.text);
        at = inside.end;
        break;
      }
      case "\\": {
        const next = text[++at];
        if (next === undefined || next === "\n") return null;
        add(next);
        break;
      }
      case "\n":
      case ";":
        if (!endCommand() && character === ";") return null;
        break;
      case "|":
        if (!endCommand()) return null;
        if (text[at + 1] === "|") at++;
        else if (text[at + 1] === "&") return null;
        break;
      case "&":
        if (text[at + 1] !== "&" || !endCommand()) return null;
        at++;
        break;
      case "*":
      case "?":
      case "[":
        add(character, true);
        break;
      case "#":
      case "~":
        // Within a word they mean themselves: HEAD~1.
        if (word === null) return null;
        add(character);
        break;
      case "$":
      case "`":
      case "<":
      case ">":
      case "(":
      case ")":
      case "{":
      case "}":
      case "\r":
      case "\0":
        return null;
      default:
        add(character);
    }
  }
  endCommand();
  return commands.length > 0 ? commands : null;
}

function readDoubleQuoted(text: string, start: number): { text: string; end: number } | null {
  let inside = "";
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') return { text: inside, end: at };
    if (character === "`") return null;
    // A dollar before the closing quote, a blank or a bar means itself: "foo$".
    if (character === "$" && !/["\s|)]/.test(text[at + 1] ?? "")) return null;
    if (character === "\\" && /[$`"\\]/.test(text[at + 1] ?? "")) inside += text[++at]!;
    else if (character === "\\" && text[at + 1] === "\n") return null;
    else inside += character;
  }
  return null;
}
