/** What the memory commands tell people. */
import type { CodeHit, IndexProgress, IndexReport } from "../../domain/memory-ports.ts";
import { plain, type Terminal } from "../terminal.ts";

/** Often enough to be seen, seldom enough for a log. */
const EVERY_MS = 1_000;

export function showProgress(terminal: Terminal): (progress: IndexProgress) => void {
  let toldAt = performance.now();
  return ({ step, done, total }) => {
    if (performance.now() - toldAt < EVERY_MS) return;
    toldAt = performance.now();
    terminal.err(`${step}: ${done} of ${total}`);
  };
}

export function showIndexed(report: IndexReport, seconds: number, terminal: Terminal): void {
  const { commit, files, changed, removed, newCommits } = report;
  const what = report.unchanged
    ? "nothing changed"
    : `${changed} files read, ${removed} taken away, ${newCommits} commits remembered`;
  terminal.out(`${commit.slice(0, 12)}: ${files} files; ${what}; ${seconds.toFixed(1)} s.`);
}

export function showHits(hits: readonly CodeHit[], explained: boolean, terminal: Terminal): void {
  if (hits.length === 0) terminal.out("Nothing fits.");
  for (const { path, score, lines, why, parts } of hits) {
    terminal.out(`${terminal.style("bold", plain(path))}:${lines[0]}-${lines[1]}  ${score.toFixed(2)}`);
    for (const reason of why) terminal.out(`  ${plain(reason)}`);
    if (explained) terminal.out(`  ${parts.map(({ signal, points }) => `${signal} ${points.toFixed(2)}`).join(", ")}`);
  }
}
