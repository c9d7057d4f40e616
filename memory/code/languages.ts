/** Which files are code, and how each language writes down a definition. The name stands in the first group that matched. */

const C_LIKE = /^[A-Za-z_][\w\s*&:<>,~[\]]*?[\s*&]((?:\w+::)*~?\w+)\s*\([^;]*$/;

const KEYWORD =
  /^\s*(?:[\w@()."']+\s+)*?(?:class|interface|trait|struct|enum|union|record|object|protocol|module|mod|namespace|type|fun|func|fn|def|function|macro|impl|extension)\s+(?:self\.)?([A-Za-z_$][\w$]*[?!]?)/;

const JAVASCRIPT: readonly RegExp[] = [
  /^\s*(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\s*\*?|class|interface|type|enum|namespace|module)\s+([A-Za-z_$][\w$]*)/,
  /^(?:export\s+)?(?:declare\s+)?(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*[:=]/,
  /^\s*(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\s*)?(?:function|\([^)]*\)\s*(?::[^=]+)?=>|\w+\s*=>)/,
  /^\s*(?:[\w$.]+\.)?([A-Za-z_$][\w$]*)\s*[:=]\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*=>)/,
  /^\s+(?:(?:public|private|protected|static|async|override|readonly|get|set)\s+)*\*?\s*#?([A-Za-z_$][\w$]*)\s*(?:<[^>]*>)?\([^;]*\)?\s*(?::[^={;]+)?\{\s*$/,
];
const C: readonly RegExp[] = [
  /^\s*#\s*define\s+(\w+)/,
  /^\s*(?:typedef\s+)?(?:template\s*<[^>]*>\s*)?(?:struct|class|enum(?:\s+class)?|union|namespace|concept)\s+(?:\w+_API\s+|[A-Z_]+\s+)?(\w+)[^;]*$/,
  C_LIKE,
  /^\s*\}\s*(\w+)\s*;/,
  /^\s*using\s+(\w+)\s*=/,
  /^\s+(?:[\w:<>,*&]+\s+)+[*&]?(\w+)\s*\([^;]*\)\s*(?:const|noexcept|override|final|\s)*\{/,
];
const JVM: readonly RegExp[] = [
  /^\s*(?:[\w@]+(?:\([^)]*\))?\s+)*(?:class|interface|@interface|enum|record|object|trait|typealias)\s+(\w+)/,
  /^\s*(?:[\w@]+\s+)*(?:fun|def|val|var)\s+(?:<[^>]*>\s*)?(?:[\w<>?]+\.)?(\w+)/,
  /^\s*(?:(?:public|private|protected|internal|static|final|abstract|synchronized|native|default|override|virtual|async|sealed)\s+)+(?:<[^>]+>\s*)?[\w<>[\],.?&\s]+?\s(\w+)\s*\(/,
  /^\s*(?:(?:public|private|protected|internal|static)\s+)+(\w+)\s*\(/,
  /^\s*(?:(?:public|private|protected|static|final)\s+){2,}[\w<>[\],.?]+\s+([A-Z][A-Z0-9_]+)\s*=/,
  /^ {2,4}[\w<>[\],.?]+\s(\w+)\s*\([^;]*\{\s*$/,
];

const DEFINITIONS: Readonly<Record<string, readonly RegExp[]>> = {
  python: [/^\s*(?:async\s+)?def\s+(\w+)/, /^\s*class\s+(\w+)/, /^([A-Za-z_]\w*)\s*(?::[^=]+)?=[^=]/],
  javascript: JAVASCRIPT,
  go: [
    /^func\s+(?:\([^)]*\)\s*)?(\w+)/,
    /^\s*type\s+(\w+)/,
    /^(?:var|const)\s+(\w+)/,
    /^\t([A-Z]\w*)\s+(?:=|\w+\s*=)/,
    /^\t(\w+)\s+(?:struct|interface)\s*\{/,
  ],
  rust: [
    /^\s*(?:pub(?:\([^)]*\))?\s+)?(?:default\s+|const\s+|async\s+|unsafe\s+|extern\s+"[^"]*"\s+)*fn\s+(\w+)/,
    /^\s*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum|trait|union|mod|type|const|static)\s+(?:mut\s+)?(\w+)/,
    /^\s*macro_rules!\s+(\w+)/,
    /^\s*(?:unsafe\s+)?impl(?:<[^>]*>)?\s+(?:[\w:<>,' ]+\s+for\s+)?(\w+)/,
  ],
  jvm: JVM,
  c: C,
  ruby: [
    /^\s*def\s+(?:self\.)?([\w]+[?!=]?)/,
    /^\s*(?:class|module)\s+(?:\w+::)*(\w+)/,
    /^\s*(?:attr_\w+|scope|has_many|def_node_matcher|define_method)[ (]+:(\w+)/,
    /^\s*([A-Z][A-Z0-9_]+)\s*=/,
  ],
  php: [
    /^\s*(?:(?:abstract|final|public|protected|private|static|readonly)\s+)*function\s+&?(\w+)/,
    /^\s*(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum)\s+(\w+)/,
    /^\s*(?:(?:public|protected|private)\s+)?const\s+(?:\w+\s+)?(\w+)\s*=/,
  ],
  other: [KEYWORD],
};

const LANGUAGE_OF_ENDING: ReadonlyMap<string, string> = new Map(
  Object.entries({
    python: "py pyx pxd pyi",
    javascript: "js jsx ts tsx mjs cjs mts cts vue svelte astro coffee",
    go: "go",
    rust: "rs",
    jvm: "java kt kts scala groovy cs",
    c: "c h cc cpp cxx hpp hh hxx m mm cu cuh inl ipp tcc ino y l",
    ruby: "rb rake gemspec erb",
    php: "php phtml inc",
    other:
      "swift dart lua ex exs erl hrl hs ml mli fs fsi fsx clj cljs cljc jl nim zig v sv vhd pl pm r d cr elm sol pony sh bash zsh fish ps1 bat sql proto graphql gql thrift tf hcl awk tcl vim el lisp scm rkt css scss sass less styl html htm hbs ejs pug twig jinja j2 tmpl mustache liquid asm s cmake gradle vb f f90 f95 for pas groovy wat wgsl glsl hlsl",
  }).flatMap(([language, endings]) => endings.split(" ").map((ending): [string, string] => [ending, language])),
);

/** The family of a file's language; null for what is not code. */
export function languageOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return LANGUAGE_OF_ENDING.get(dot < 0 ? name.toLowerCase() : name.slice(dot + 1).toLowerCase()) ?? null;
}

/** Longer lines are generated, and a regular expression may be slow on them. */
const MAX_LINE_CHARACTERS = 300;
const NOT_A_NAME = new Set(
  "if for while switch catch return else elseif match when with do try using lock foreach until unless sizeof typeof new throw await yield case function super this constructor default static get set and or not in is".split(
    " ",
  ),
);

/** What a line defines, or null. `language` is what {@link languageOf} said. */
export function definitionIn(line: string, language: string): string | null {
  if (line.length > MAX_LINE_CHARACTERS || !/[A-Za-z]/.test(line)) return null;
  for (const pattern of DEFINITIONS[language] ?? []) {
    const name = pattern.exec(line)?.[1];
    if (name !== undefined && name !== "_" && !NOT_A_NAME.has(name)) return name;
  }
  return null;
}
