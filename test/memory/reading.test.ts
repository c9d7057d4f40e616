import { describe, expect, it } from "vitest";
import { cut } from "../../memory/code/chunks.ts";
import { commitGroup } from "../../memory/code/document.ts";
import { kindOf, subjectOf } from "../../memory/code/file-kind.ts";
import { filesOf, meant } from "../../memory/code/files.ts";
import { definitionIn, languageOf } from "../../memory/code/languages.ts";
import { parseQuery } from "../../memory/code/query.ts";
import { taught } from "../../memory/experience/taught.ts";

describe("A definition is seen in", () => {
  it.each([
    ["a.py", "    async def fetch_rows(self, limit):", "fetch_rows"],
    ["a.py", "class Parser(Base):", "Parser"],
    ["a.ts", "export default async function loadAll<T>(x: T) {", "loadAll"],
    ["a.ts", "export const useCart = (id: string) => {", "useCart"],
    ["a.ts", "  private async flush(force: boolean): Promise<void> {", "flush"],
    ["a.js", "Router.prototype.handle = function (req, res) {", "handle"],
    ["a.go", "func (c *Context) BindJSON(obj any) error {", "BindJSON"],
    ["a.go", "type Engine struct {", "Engine"],
    ["a.rs", "    pub(crate) async fn poll_next(&mut self) -> Poll<()> {", "poll_next"],
    ["a.rs", "impl<T: Read> Iterator for Lines<T> {", "Lines"],
    ["A.java", "    public static <T> List<T> copyOf(Collection<T> from) {", "copyOf"],
    ["A.kt", "internal fun String.toHeader(): Header =", "toHeader"],
    ["a.c", "static int stream_append(struct stream *s, const char *key)", "stream_append"],
    ["a.c", "#define MAX_DEPTH 10", "MAX_DEPTH"],
    ["a.cc", "void Session::run(Config const& config) {", "Session::run"],
    ["a.h", "struct sds_header {", "sds_header"],
    ["a.rb", "  def self.call!(env)", "call!"],
    ["a.php", "    protected static function &resolve($name)", "resolve"],
  ])("%s: %s", (path, line, name) => {
    expect(definitionIn(line, languageOf(path)!)).toBe(name);
  });

  it.each([
    ["a.ts", "    if (ready) {"],
    ["a.java", "    return new Parser(text);"],
    ["a.c", "  while (next(item)) {"],
    ["a.go", "var _ io.Reader = (*File)(nil)"],
  ])("not in %s: %s", (path, line) => {
    expect(definitionIn(line, languageOf(path)!)).toBeNull();
  });

  // Gone through again from each of its places it would take hours.
  it("a line of a million characters is read to its end", { timeout: 15_000 }, () => {
    for (const language of ["jvm", "c", "javascript", "other"])
      expect(definitionIn("public static ".repeat(80_000), language)).toBeNull();
  });
});

describe("A file is", () => {
  it.each([
    ["src/parser.py", "source"],
    ["lib/contest/winner.rb", "source"],
    ["testing.go", "source"],
    ["tests/test_parser.py", "test"],
    ["src/parser.spec.ts", "test"],
    ["pkg/parser_test.go", "test"],
    ["src/test/java/com/ParserTest.java", "test"],
    ["packages/core/__tests__/parser.ts", "test"],
    ["examples/basic/main.go", "example"],
    ["benches/parse.rs", "example"],
    ["README.md", "docs"],
    ["docs/conf.py", "docs"],
    ["scripts/release.sh", "script"],
    ["webpack.config.js", "script"],
    ["vendor/github.com/x/y.go", "vendored"],
    ["api/service.pb.go", "generated"],
    ["dist/app.min.js", "generated"],
    ["package-lock.json", "generated"],
    ["types/index.d.ts", "typings"],
    ["pyproject.toml", "config"],
  ])("%s: %s", (path, kind) => {
    expect(kindOf(path)).toBe(kind);
  });

  it.each([
    ["tests/test_parser.py", "parser"],
    ["ParserTest.java", "parser"],
    ["date-parser.spec.ts", "dateparser"],
    ["parser_test.go", "parser"],
    ["tests/test.py", null],
  ])("%s is about %s", (path, subject) => {
    expect(subjectOf(path)).toBe(subject);
  });
});

describe("A file is cut", () => {
  const body = (name: string, lines: number): string[] => [
    `def ${name}():`,
    ...Array<string>(lines).fill("    work()"),
  ];

  it("at its definitions, comments above them included, and covers every line once", () => {
    const lines = [...body("first", 20), "", "# About the second.", ...body("second", 20)];
    const chunks = cut("a.py", lines.join("\n"));
    expect(chunks.map(({ from, to, symbols }) => [from, to, symbols])).toEqual([
      [1, 22, ["first"]],
      [23, 44, ["second"]],
    ]);
  });

  it("nowhere longer than 60 lines, and small things stay together", () => {
    const chunks = cut("a.py", [...body("long", 200), ...body("a", 1), ...body("b", 1)].join("\n"));
    expect(Math.max(...chunks.map(({ from, to }) => to - from + 1))).toBeLessThanOrEqual(60);
    expect(chunks.at(-1)!.symbols).toEqual(["a", "b"]);
    expect(chunks.reduce((sum, { from, to }) => sum + to - from + 1, 0)).toBe(205);
  });

  it("not at all when it is empty", () => {
    expect(cut("a.py", "")).toEqual([]);
  });
});

describe("A text is read for", () => {
  it("the part that its title names", () => {
    for (const title of ["fix(date-parser): wrong year", "date-parser: wrong year", "[date-parser] wrong year"])
      expect([...parseQuery(title).scope]).toEqual(expect.arrayContaining(["dat", "pars"]));
    expect(parseQuery("wrong year").scope.size).toBe(0);
  });

  it("paths and lines of traces in several languages", () => {
    const text = `Boom
      File "/app/lib/reader.py", line 12, in read
          at com.acme.io.Reader.readAll(Reader.java:77)
          at load (./src/load.ts:3:9)
      see pkg\\win\\path.go and https://example.com/not/this.py`;
    const paths = parseQuery(text).paths.map(({ path, line }) => `${path}:${line}`);
    expect(paths).toEqual(
      expect.arrayContaining(["app/lib/reader.py:12", "Reader.java:77", "src/load.ts:3", "pkg/win/path.go:null"]),
    );
    expect(paths.join()).not.toContain("this.py");
  });

  it("names as they are written in code", () => {
    const { names } = parseQuery(
      "Calling `render` twice makes parseHeader() and MAX_SIZE in Foo::barBaz fail, said Alice",
    );
    expect([...names]).toEqual(expect.arrayContaining(["render", "parseHeader", "MAX_SIZE", "Foo", "barBaz"]));
    expect(names).not.toContain("Alice");
  });

  it("its sentences and list entries one by one", () => {
    const { sentences } = parseQuery("Two things\n\n- the cart forgets its items\n- the printer cuts long lines\n");
    expect(sentences).toHaveLength(2);
  });

  it("what people wrote, and not what programs put below it", () => {
    const { all } = parseQuery(
      "Cart is empty\n\nSigned-off-by: Grace Hopper <grace@example.com>\nCo-authored-by: Zed\n<!-- template -->",
    );
    expect([...all.keys()]).toEqual(expect.arrayContaining(["cart", "empti"]));
    for (const word of ["grac", "hop", "zed", "templat"]) expect(all.has(word)).toBe(false);
  });

  it("two words that are one name in code", () => {
    expect(parseQuery("dark mode flickers").all.has("darkmod")).toBe(true);
  });

  // Above a second each, were a run gone through again from each of its places.
  it("names and paths, whatever is pasted into it", { timeout: 15_000 }, () => {
    const pasted = [
      "x.",
      "x/",
      "A",
      "a-",
      "_a",
      "a1",
      "@",
      ".",
      "_",
      "by-",
      "<!--",
      "refs a/",
      "a\\",
      "`a",
      "\n ",
      "(",
    ];
    for (const each of pasted) expect(parseQuery(each.repeat(100_000))).toBeDefined();
  });

  it("what its first pages say: a commit's message with a log of 300 kB in it is cut before it is read", () => {
    const group = (log: string) =>
      commitGroup({ hash: "a", atSeconds: 1, message: `Mend basket\n\n${log}`, files: ["a.ts"] }, "1");
    for (const piece of ["<!--", "<!-- a", "refs: a/", "x-", "---\n", "base64"]) {
      const log = piece.repeat(Math.ceil(20_000 / piece.length));
      expect(group(`${log}${log.repeat(14)} afterwards`)).toEqual(group(log));
    }
  });

  it("nothing, when there is nothing", () => {
    expect(parseQuery("  \n ")).toMatchObject({ paths: [], sentences: [] });
  });
});

describe("A path that a text names is", () => {
  const files = filesOf(
    [
      "src/io/Reader.java",
      "src/io/Writer.java",
      "lib/date_parser.py",
      "old/util.js",
      "new/util.js",
      "moved/once.c",
    ].map((path) => `file:${path}`),
  );

  it.each([
    ["src/io/Reader.java", ["src/io/Reader.java"]],
    ["Reader.java", ["src/io/Reader.java"]],
    ["com/acme/io/Reader/readAll", ["src/io/Reader.java"]],
    ["lib/date_parser", ["lib/date_parser.py"]],
    ["util.js", ["old/util.js", "new/util.js"]],
    ["new/util.js", ["new/util.js"]],
    ["nothing/here.py", []],
    ["reader", []],
  ])("%s: %j", (path, expected) => {
    expect(meant(path, files).map((file) => file.path)).toEqual(expected);
  });

  it("the file of today, where it was moved and no other has its name", () => {
    expect(files.present("before/once.c")?.path).toBe("moved/once.c");
    expect(files.present("before/util.js")).toBeNull();
  });
});

describe("What is kept of a long text ends with a whole character", () => {
  it("of a commit's subject", () => {
    const commit = { hash: "a", atSeconds: 1, message: `${"x".repeat(119)}\u{1f4a5} crash`, files: [] };
    expect(commitGroup(commit, "1").points[0]!.payload).toMatchObject({ subject: "x".repeat(119) });
  });

  it("of what a person teaches", () => {
    const { text } = taught({ text: `${"x".repeat(3_999)}\u{1f4a5}`, by: "mara", issue: null, at: "" });
    expect(text).toBe("x".repeat(3_999));
  });
});
