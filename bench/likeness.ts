/**
 * `npm run bench:likeness [-- DIR... --fixes N --json]`: what `memory.similarity_threshold` means. The fixes of a repository's history are
 * taken for issues; each is compared with those before it, as a run compares its issue with what it remembers. An earlier one is useful
 * when it changed a source file that this one changes, too. With EMBEDDINGS_URL and EMBEDDINGS_MODEL also by meaning.
 */
import { openSourceRepository } from "../activities/adapters/git/source.ts";
import { loadMemoryConfig } from "../config/memory.ts";
import type { Resolution } from "../domain/memory.ts";
import { createEmbedder } from "../memory/dense/embedder.ts";
import { cosineOf, denseScale } from "../memory/experience/dense-scale.ts";
import { facesOf } from "../memory/experience/faces.ts";
import { calibrated, corpusOf, cosine, wordsIn } from "../memory/experience/similarity.ts";
import { readArguments } from "./arguments.ts";
import { fixesOf, type Fix } from "./memory/fixes.ts";
import { gitDirsOf } from "./memory/git-dirs.ts";
import { likenessOf, type Neighbours } from "./memory/likeness.ts";

const flags = readArguments("Usage: npm run bench:likeness -- [DIR ...] [--fixes 60] [--json]", {
  folders: { kind: "folders" },
  fixes: { kind: "count", default: 60 },
  json: { kind: "switch" },
});
const THRESHOLDS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8];
/** As many as a run is shown. */
const SHOWN = 3;
const MIN_WORDS = 5;
const { signal } = new AbortController();
const { embeddings } = loadMemoryConfig({ env: process.env, cwd: process.cwd() });
const embedder = embeddings === null ? null : createEmbedder(embeddings);
const scale = embedder === null ? null : await denseScale(embedder, signal);

const all: Neighbours[] = [];
for (const gitDir of await gitDirsOf(flags.folders)) {
  const source = openSourceRepository(process.env, gitDir);
  const fixes = await fixesOf(source, "HEAD", { count: flags.fixes, minWords: MIN_WORDS }, signal);
  all.push(...(await neighboursOf(fixes)));
}
const rows = THRESHOLDS.map((threshold) => likenessOf(all, threshold));
if (flags.json) process.stdout.write(`${JSON.stringify({ fixes: all.length, rows }, null, 2)}\n`);
else {
  process.stdout.write(`${all.length} fixes${embedder === null ? "" : `, with ${embedder.model}`}\n`);
  const percent = (share: number): string => `${(share * 100).toFixed(1).padStart(5)} %`;
  for (const { threshold, shown, useful, wrong, kept } of rows)
    process.stdout.write(
      `${threshold.toFixed(2)}  shown one ${percent(shown)}  useful of those shown ${percent(useful)}  shown a wrong one ${percent(wrong)}  of those that have a useful one ${percent(kept)} are shown it\n`,
    );
}

/** Of each fix the earlier ones, best first. */
async function neighboursOf(fixes: readonly Fix[]): Promise<Neighbours[]> {
  const memories = fixes.map(resolutionOf);
  const faces = memories.map((memory) => facesOf(memory).map(wordsIn));
  const texts = memories.map((memory) => facesOf(memory)[0]!);
  const [documents, questions] =
    embedder === null
      ? [null, null]
      : [await embedder.embed(texts, "document", signal), await embedder.embed(texts, "query", signal)];
  return fixes.map((fix, at) => {
    const query = wordsIn(texts[at]!);
    const corpus = corpusOf(faces.slice(0, at).flat());
    const earlier = fixes.slice(0, at).map((other, place) => {
      const words = Math.max(0, ...faces[place]!.map((face) => calibrated(cosine(query, face, corpus))));
      const meant = scale === null ? 0 : scale(cosineOf(questions![at]!, documents![place]!));
      const useful = other.answers.some((path) => fix.answers.includes(path));
      return { score: Math.max(words, meant), useful };
    });
    const best = earlier.toSorted((a, b) => b.score - a.score);
    return { best: best.slice(0, SHOWN), hasUseful: earlier.some(({ useful }) => useful) };
  });
}

function resolutionOf({ query, answers }: Fix, at: number): Resolution {
  const [title = "", ...body] = query.split("\n");
  return {
    kind: "resolution",
    id: `fix-${at}`,
    at: new Date(0).toISOString(),
    issue: at + 1,
    title,
    problem: body.join("\n").trim(),
    category: null,
    cause: null,
    files: answers,
    change: null,
    evidence: null,
    outcome: "merged",
    reason: null,
    pullRequest: null,
    mergeSha: null,
    reverted: false,
  };
}
