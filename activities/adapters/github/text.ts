/** Fits our words into GitHub's limits. */
import { headOf } from "../../../domain/text.ts";

/** GitHub's limit for bodies of issues, comments and pull requests, in characters. */
export const MAX_BODY = 65_536;
/** GitHub's limit for titles, in characters. */
export const MAX_TITLE = 256;
/** GitHub's limit for the description of a commit status, in characters. */
export const MAX_DESCRIPTION = 140;
/** GitHub's limit for the summary of a check run, in characters. */
export const MAX_SUMMARY = 65_535;

/** Cuts a Markdown text to `max` characters and says under it how many were left out. */
export function fitBody(body: string, max: number = MAX_BODY): string {
  if (body.length <= max) return body;
  // Room for the note below and for the closing of an open fence.
  const kept = headOf(body, max - 200);
  const note = `_${body.length - kept.length} more characters were left out here: GitHub takes ${max} at most._`;
  return `${kept}${closeFence(kept)}\n\n${note}\n`;
}

/** One line of at most `max` characters. */
export function fitLine(text: string, max: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= max ? line : `${headOf(line, max - 1)}…`;
}

/** The body with the marker in it, on top where it lacks it: so that a cut never loses it. */
export function withMarker(body: string, marker: string): string {
  const fitted = fitBody(body);
  return fitted.includes(marker) ? fitted : fitBody(`${marker}\n${body}`);
}

/** The line that closes a code fence left open, or nothing: without it the note would be shown as code. */
function closeFence(text: string): string {
  let open: string | null = null;
  for (const line of text.split("\n")) {
    const fence = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) continue;
    if (open === null) open = fence;
    else if (fence[0] === open[0] && fence.length >= open.length) open = null;
  }
  return open === null || open.length > 100 ? "" : `\n${open}`;
}
