/** The default demo: durations for people, in JavaScript, with a rounding that comes too late. */
import type { DemoRepository } from "./index.ts";

const jonna = { name: "Jonna Lindqvist", email: "jonna@example.org" };
const tariq = { name: "Tariq Aziz", email: "tariq@example.org" };

export const littleDuration: DemoRepository = {
  name: "little-duration",
  owner: "demo-tools",
  description: "Reads and writes durations the way people do",
  needs: "node",
  author: "backup-bert",
  title: 'Shows "59m 60s" instead of "1h"',
  labels: ["bug", "enhancement", "good first issue"],
  body: `hey, we use this for the ETA in our backup tool (0.4.1, node 20) and shortly before the full hour it says

    59m 60s remaining

which looks a bit silly :) I have also seen a plain \`60s\`, where I would expect \`1m\`.

Repro:

\`\`\`js
import { formatDuration } from "little-duration";

formatDuration(3599700) // '59m 60s'
formatDuration(59700)   // '60s'
formatDuration(3599499) // '59m 59s'  <- this one is ok
\`\`\`

expected: \`1h\` and \`1m\`. Didn't dig deep, but I guess it is the rounding of the seconds at the end?

Our workaround is a Math.floor before the call, but then the ETA is always a second short, and someone will notice.
`,
  commits: [
    {
      message: "Read durations",
      author: jonna,
      date: "2025-01-11T10:02:11+01:00",
      files: [".gitignore", "src/units.js", "src/parse.js", "test/parse.test.js"],
      contents: {
        "package.json": manifest("0.1.0", false),
        "src/index.js": `export { parseDuration } from "./parse.js";\nexport { UNITS } from "./units.js";\n`,
        "README.md": `# little-duration\n\nReads durations the way people write them: \`parseDuration("1h 30m")\` is 5400000.\n`,
      },
    },
    {
      message: "Write durations\n\nWith `units` to show only the largest ones, and `separator`.",
      author: jonna,
      date: "2025-02-02T16:40:29+01:00",
      files: ["src/format.js", "src/index.js", "test/format.test.js"],
      contents: {
        "package.json": manifest("0.3.0", false),
        "CHANGELOG.md":
          "# Changelog\n\n## Unreleased\n\n## 0.3.0\n\n- `formatDuration` takes `units` and `separator`.\n",
      },
    },
    {
      message: "A command, for scripts",
      author: tariq,
      date: "2025-04-19T09:15:54+02:00",
      files: ["bin/duration.js", "test/command.test.js", "README.md"],
      contents: { "package.json": manifest("0.4.0", true) },
    },
    {
      message: "Release 0.4.1: accept a decimal comma",
      author: jonna,
      date: "2025-06-07T19:33:02+02:00",
      files: ["package.json", "CHANGELOG.md"],
    },
  ],
};

function manifest(version: string, command: boolean): string {
  const value = {
    name: "little-duration",
    version,
    description: "Reads and writes durations the way people do: 1h 30m",
    license: "MIT",
    type: "module",
    exports: "./src/index.js",
    ...(command ? { bin: { duration: "bin/duration.js" } } : {}),
    scripts: { test: "node --test" },
    engines: { node: ">=18" },
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}
