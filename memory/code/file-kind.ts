/** What a file is for, from its path alone: a fix changes sources far more often than what stands beside them. */
import { languageOf } from "./languages.ts";

export type FileKind =
  | "source"
  | "test"
  | "example"
  | "docs"
  | "script"
  | "config"
  | "typings"
  | "generated"
  | "vendored"
  | "style";

export function kindOf(path: string): FileKind {
  const lower = path.toLowerCase();
  const folders = lower.split("/");
  const name = folders.pop()!;
  const inside = (names: ReadonlySet<string>): boolean => folders.some((folder) => names.has(folder));
  if (inside(VENDORED)) return "vendored";
  if (GENERATED.test(lower)) return "generated";
  if (inside(TESTS) || folders.some((folder) => TEST_FOLDER.test(folder)) || isTestName(path.slice(-name.length)))
    return "test";
  const language = languageOf(path);
  if (language === null) return DOCS_NAME.test(name) || inside(DOCS) ? "docs" : "config";
  if (inside(EXAMPLES) || folders.some((folder) => /^(?:bench|example|sample|demo)/.test(folder))) return "example";
  if (inside(DOCS)) return "docs";
  if (inside(SCRIPTS) || SCRIPT_NAME.test(name)) return "script";
  if (/\.d\.[cm]?ts$/.test(name) || name.endsWith(".pyi")) return "typings";
  if (/\.(?:css|scss|sass|less|styl|html?)$/.test(name)) return "style";
  return "source";
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(" "));

const VENDORED = set(
  "vendor vendored third_party third-party thirdparty 3rdparty node_modules bower_components external extern deps _vendor",
);
const TESTS = set(
  "test tests testing testdata test-data test_data spec specs __tests__ __test__ __mocks__ __snapshots__ fixtures fixture unittest unittests e2e testsuite testsuites integration-tests",
);
const TEST_FOLDER =
  /^(?:src)?(?:tests?[-_]|.*[-_.]tests?$|.*tests$)|^(?:android|common|jvm|js|ios|native|integration|functional)test$/;
const EXAMPLES = set(
  "example examples sample samples demo demos bench benches benchmark benchmarks perf playground playgrounds sandbox contrib tutorial tutorials fuzz fuzzing website",
);
const DOCS = set("doc docs documentation changelog changelogs man site website wiki");
const SCRIPTS = set(
  "script scripts tool tools ci .github .circleci build-tools hack devtools cmake .azure-pipelines buildsrc",
);
const DOCS_NAME =
  /\.(?:md|mdx|rst|txt|adoc|asciidoc|tex|pod|rdoc)$|^(?:readme|changelog|changes|license|copying|authors|news|history|contributing|todo)\b/;
const SCRIPT_NAME =
  /^(?:setup|conftest|noxfile|gruntfile|gulpfile|rakefile|build|webpack\.config|rollup\.config|vite\.config|jest\.config|karma\.conf)\.\w+$|\.config\.[cm]?[jt]s$|\.(?:sh|bash|ps1|bat|cmake|gradle|kts)$|^makefile/;
const GENERATED =
  /(?:^|\/)(?:dist|generated|__generated__|gen|autogen|_build|amalgamation|single_include|amalgamated)\/|\.min\.(?:js|css)$|[._-](?:pb2?|generated|g|gen|designer)\.\w+$|\.pb\.(?:go|cc|h)$|_pb2(?:_grpc)?\.py$|(?:^|\/)zz_generated|(?:^|\/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|cargo\.lock|poetry\.lock|composer\.lock|gemfile\.lock|go\.sum)$|\.(?:snap|map|svg|lock)$/;

function isTestName(name: string): boolean {
  return (
    /^(?:test_|tests?\.|spec_|conftest\.)|[._-](?:tests?|spec|specs|unittest|e2e|cy)\.\w+$|_tests?\.|[._-](?:tests?|spec)[._-]\w*\.?\w+$/i.test(
      name,
    ) ||
    /(?:[a-z0-9](?:Tests?|TestCase|Spec|IT)|^Test[A-Z]\w*)\.(?:java|kt|scala|groovy|cs|php|swift|ts|js|cpp|cc)$/.test(
      name,
    )
  );
}

/** The name of what a test is about: `test_parser.py`, `ParserTest.java`, `parser.spec.ts` -> `parser`. Null: it tells nothing. */
export function subjectOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/(?:\.\w+)$/, "");
  const subject = name
    .replace(/^(?:tests?|spec)[._-]?(?=.)/i, "")
    .replace(/[._-]?(?:tests?|testcase|specs?|unittest|e2e)$/i, "")
    .replace(/IT$/, "");
  return subject.length > 1 ? subject.toLowerCase().replace(/[^a-z0-9]/g, "") : null;
}
