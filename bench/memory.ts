/**
 * `npm run bench:memory [-- DIR... --fixes N --words N --json]`: how well the memory finds the files of a fix, from any repository's own
 * history. Query: the fix's message as people wrote it. Answer: the source files that it changed. Index: the commit before it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { openSourceRepository } from "../activities/adapters/git/source.ts";
import { createCodeIndex } from "../memory/code/code-index.ts";
import { openEmbeddedStore } from "../memory/store/embedded.ts";
import { readArguments } from "./arguments.ts";
import { fixesOf, type Choice } from "./memory/fixes.ts";
import { gitDirsOf } from "./memory/git-dirs.ts";
import { emptyTally, measuresOf, type Measures, type Tally } from "./memory/measures.ts";

/** Enough to have recall@20. */
const LIMIT = 20;

const { folders, fixes, words, json } = readArguments(
  "Usage: npm run bench:memory -- [DIR ...] [--fixes 25] [--words 5] [--json]\n" +
    "Of each repository's history the newest `fixes` whose message has `words` words or more.",
  {
    folders: { kind: "folders" },
    fixes: { kind: "count", default: 25 },
    words: { kind: "count", default: 5, atLeast: 0 },
    json: { kind: "switch" },
  },
);
const signal = new AbortController().signal;
const total = emptyTally();
const rows: ({ repository: string } & Measures)[] = [];
for (const gitDir of await gitDirsOf(folders)) {
  const tally = await measure(gitDir, { count: fixes, minWords: words }, total);
  const parts = gitDir.replace(/\/(?:\.git|repo)$/, "");
  rows.push({ repository: basename(parts), ...measuresOf(tally) });
  if (!json) print(rows.at(-1)!);
}
const all = { repository: `all ${rows.length}`, ...measuresOf(total) };
if (json) process.stdout.write(`${JSON.stringify({ repositories: rows, all }, null, 2)}\n`);
else print(all);

/** Fixes in their order, so that each index goes on from the one before, as it does for a repository that is worked on. */
async function measure(gitDir: string, choice: Choice, into: Tally): Promise<Tally> {
  const tally = emptyTally();
  const source = openSourceRepository(process.env, gitDir);
  const scratch = await mkdtemp(join(tmpdir(), "mergewright-bench-"));
  const store = openEmbeddedStore(join(scratch, "memory.db"));
  const index = createCodeIndex({ store, embedder: null });
  const scope = { tenant: "bench", repository: dirname(gitDir) };
  try {
    for (const { hash, query, answers } of await fixesOf(source, "HEAD", choice, signal)) {
      const startedAt = performance.now();
      const { files, changed } = await index.index(scope, source, `${hash}~1`, { signal });
      const indexMs = performance.now() - startedAt;
      // The first search reads the index into memory; that is the cold process's share.
      const found = await index.search(scope, query, { limit: LIMIT, signal });
      const askedAt = performance.now();
      await index.search(scope, query, { limit: LIMIT, signal });
      const queryMs = performance.now() - askedAt;
      const ranks = answers.map((answer) => found.findIndex(({ path }) => path === answer));
      for (const each of [tally, into]) {
        each.ranks.push(ranks);
        each.queryMs.push(queryMs);
        if (changed === files) {
          each.indexedFiles += files;
          each.indexMs += indexMs;
        }
      }
    }
    const bytes = (await store.bytes()) ?? 0;
    tally.bytes += bytes;
    into.bytes += bytes;
  } finally {
    await store.close();
    await rm(scratch, { recursive: true, force: true });
  }
  return tally;
}

function print({ repository, recall, mrr, fixes, ...rest }: { repository: string } & Measures): void {
  const shares = Object.values(recall).map((share) => `${(share * 100).toFixed(1).padStart(5)} %`);
  process.stdout.write(
    `${repository.padEnd(28)} ${String(fixes).padStart(4)} fixes  recall@1/5/10/20 ${shares.join(" ")}  MRR ${mrr.toFixed(2)}  ` +
      `index ${rest.secondsPer1000Files.toFixed(1)} s/1,000 files  query p50 ${rest.queryMs.median.toFixed(1)} p95 ${rest.queryMs.p95.toFixed(1)} ms  ${(rest.bytes / 1e6).toFixed(1)} MB\n`,
  );
}
