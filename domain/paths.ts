/** Which files a path means, however it is spelled: for the change policy, and for telling tests from the rest. */

/**
 * One spelling for all that some file system takes for the same file: compatibility forms and letter case folded, invisible
 * characters dropped, `\` as `/`, no empty, `.` or resolvable `..` parts, no trailing dots and spaces, no NTFS stream or short name.
 */
export function normalisePath(path: string): string {
  const folded = path
    .normalize("NFKC")
    .replace(IGNORED, "")
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKC")
    .replaceAll("\\", "/");
  const parts: string[] = [];
  for (const raw of folded.split("/")) {
    if (raw === "..") {
      if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else parts.push("..");
      continue;
    }
    const part = raw.replace(/:.*$/s, "").replace(/[. ]+$/, "");
    if (part !== "") parts.push(part === "git~1" ? ".git" : part);
  }
  return parts.join("/");
}

/** HFS+ compares names without these; others are simply not seen. */
const IGNORED =
  // oxlint-disable-next-line no-misleading-character-class -- single code points are what is meant
  /[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u{e0000}-\u{e0fff}]/gu;

/**
 * Globs: `*` and `?` within one part (dots included), `**` for any parts, `[a-z]`, `{a,b}`. `dir/**` means `dir` itself too, so that a
 * protected folder cannot be replaced by a link. Both sides are normalised: case and odd spellings do not matter.
 */
export function matchesAny(globs: readonly string[], path: string): boolean {
  const parts = normalisePath(path).split("/");
  return globs.some((glob) =>
    braces(foldGlob(glob)).some((one) =>
      matchParts(
        one.split("/").filter((part) => part !== ""),
        parts,
      ),
    ),
  );
}

function foldGlob(glob: string): string {
  const folded = glob
    .normalize("NFKC")
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKC")
    .replace(/^(?:\.?\/)+/, "");
  return folded.endsWith("/") ? `${folded}**` : folded;
}

/** At most this many alternatives: `{a,b}{a,b}...` doubles with every pair. */
const MAX_ALTERNATIVES = 256;

function braces(glob: string): string[] {
  let all = [glob];
  for (;;) {
    const next = all.flatMap((one) => {
      const pair = /\{([^{}]*)\}/.exec(one);
      if (!pair) return [one];
      const [whole, inner] = pair as unknown as [string, string];
      return inner.split(",").map((choice) => one.slice(0, pair.index) + choice + one.slice(pair.index + whole.length));
    });
    if (next.length > MAX_ALTERNATIVES || next.every((one, index) => one === all[index])) return all;
    all = next;
  }
}

/** By table and not by a regular expression, which a hostile path could keep busy for hours. */
function matchParts(globs: readonly string[], parts: readonly string[]): boolean {
  // reach[i]: the globs so far match the first i parts.
  let reach = parts.map((_, index) => index === 0).concat(parts.length === 0);
  for (const glob of globs) {
    const next = reach.map(() => false);
    if (glob === "**") {
      const first = reach.indexOf(true);
      if (first >= 0) next.fill(true, first);
    } else {
      parts.forEach((part, index) => {
        if (reach[index] && matchPart(glob, part)) next[index + 1] = true;
      });
    }
    reach = next;
  }
  return reach.at(-1) === true;
}

function matchPart(glob: string, part: string): boolean {
  const tokens = glob.match(/\*+|\?|\[[^\]]+\]|[^]/gu) ?? [];
  const letters = Array.from(part);
  let reach = letters.map((_, index) => index === 0).concat(letters.length === 0);
  for (const token of tokens) {
    const next = reach.map(() => false);
    if (token.startsWith("*")) {
      const first = reach.indexOf(true);
      if (first >= 0) next.fill(true, first);
    } else {
      letters.forEach((letter, index) => {
        if (reach[index] && matchLetter(token, letter)) next[index + 1] = true;
      });
    }
    reach = next;
  }
  return reach.at(-1) === true;
}

function matchLetter(token: string, letter: string): boolean {
  if (token === "?") return true;
  if (!(token.startsWith("[") && token.length > 2)) return token === letter;
  const inverted = token[1] === "!" || token[1] === "^";
  const set = Array.from(token.slice(inverted ? 2 : 1, -1));
  for (let i = 0; i < set.length; i++) {
    if (set[i + 1] === "-" && set[i + 2] !== undefined) {
      if (letter >= set[i]! && letter <= set[i + 2]!) return !inverted;
      i += 2;
    } else if (set[i] === letter) return !inverted;
  }
  return inverted;
}

const SCRIPT = String.raw`(?:[cm]?[jt]sx?|vue|svelte)`;

/** Names that test runners look for by default. */
const TEST_NAMES: readonly RegExp[] = [
  new RegExp(String.raw`[._-](?:test|spec|e2e|cy)\.${SCRIPT}$`, "i"), // JavaScript, TypeScript
  new RegExp(String.raw`^(?:tests?|specs?)\.${SCRIPT}$`, "i"),
  /^test_.*\.py$|_tests?\.py$|^tests?\.py$|^conftest\.py$/i, // Python
  /_test\.go$/, // Go
  /(?:^|_)tests?\.rs$|^test_.*\.rs$/, // Rust
  /(?:Tests?|TestCase|Spec|IT)\.(?:java|kts?|groovy|scala)$|^Test[A-Z]\w*\.(?:java|kt)$/, // the JVM
  /_(?:spec|test)\.rb$|^test_.*\.rb$|^spec_helper\.rb$/, // Ruby
  /(?:Tests?|Specs?)\.(?:cs|fs|vb)$/, // .NET
  /(?:Test|TestCase|Cest)\.php$|\.phpt$/, // PHP
  /_test\.exs$|\.bats$/,
];

/** Folders of tests. Their data and helpers count too: the tests do not run without them. */
const TEST_FOLDERS =
  /^(?:tests?|__tests__|__mocks__|__snapshots__|__fixtures__|testdata|test[-_]?fixtures|e2e|cypress)$/i;
/** `src/test/java`, `src/androidTest/...`, `src/integrationTest/...`. */
const JVM_FOLDER = /^(?:\w*[a-z])?(?:Test|IntegrationTest)$/;
const DOTNET_FOLDER = /\.(?:\w*Tests?|Specs?)$/;
const SPEC_CODE = /\.(?:rb|[cm]?[jt]sx?|php|cr|lua)$/i;
const PROSE = /\.(?:md|rst|adoc)$/i;

/** Does a file at this path belong to the tests? Judged by the usual layouts of each language, by path alone. */
export function isTestPath(path: string): boolean {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  if (TEST_NAMES.some((pattern) => pattern.test(name))) return true;
  if (PROSE.test(name)) return false;
  return parts.some((part, index) => {
    if (TEST_FOLDERS.test(part) || DOTNET_FOLDER.test(part)) return true;
    if (part.toLowerCase() === "spec" || part === "specs")
      return SPEC_CODE.test(name) || parts[index + 1] === "fixtures";
    return parts[index - 1] === "src" && JVM_FOLDER.test(part);
  });
}
