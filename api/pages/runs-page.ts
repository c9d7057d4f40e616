/** `GET /`: all runs, those that need somebody first in colour. */
import { html } from "hono/html";
import { runName } from "../../domain/ids.ts";
import type { RunView } from "../runs.ts";
import { link, moment, type Html } from "./layout.ts";
import { gitHubIssueUrl, runUrl, temporalUrl, type PageLinks } from "./links.ts";
import { money, PHASE_WORDS, toneOf, waitWords } from "./words.ts";

export function runsPage(runs: readonly RunView[], links: PageLinks, now: Date): Html {
  const open = runs.filter((run) => run.execution.closedAt === null).length;
  return html`<section id="runs" data-live>
    <h1>Runs <span class="count">${open} under way, ${runs.length - open} ended</span></h1>
    ${runs.length === 0 ? empty() : table(runs, links, now)}
  </section>`;
}

function table(runs: readonly RunView[], links: PageLinks, now: Date): Html {
  return html`<table class="runs">
    <thead>
      <tr>
        <th scope="col">Issue</th>
        <th scope="col">Phase</th>
        <th scope="col">Waits for</th>
        <th scope="col">Pull</th>
        <th scope="col" class="number">Cost</th>
        <th scope="col">Started</th>
        <th scope="col"><span class="hidden">Temporal</span></th>
      </tr>
    </thead>
    <tbody>
      ${runs.map((run) => row(run, links, now))}
    </tbody>
  </table>`;
}

function row(run: RunView, links: PageLinks, now: Date): Html {
  const { pullRequest } = run;
  const waits = waitWords(run);
  return html`<tr>
    <th scope="row" data-label="Issue">
      <a class="title" href="${runUrl(run.id)}">${run.title || `Issue ${run.issue}`}</a>
      <span class="muted">${link(gitHubIssueUrl(links, run), runName(run))}</span>
    </th>
    <td data-label="Phase"><span class="phase ${toneOf(run)}">${PHASE_WORDS[run.phase] ?? run.phase}</span></td>
    <td data-label="Waits for">
      ${waits ?? html`<span class="muted">–</span>`}
      ${run.waitingFor ? html`<span class="muted since">since ${moment(run.waitingFor.since, now)}</span>` : null}
    </td>
    <td data-label="Pull request">
      ${pullRequest ? link(pullRequest.url, `#${pullRequest.number}`) : html`<span class="muted">–</span>`}
    </td>
    <td data-label="Cost" class="number">${money(run.costUsd)}</td>
    <td data-label="Started">${moment(run.execution.startedAt, now)}</td>
    <td data-label="Workflow">${link(temporalUrl(links, run), "Temporal")}</td>
  </tr>`;
}

function empty(): Html {
  return html`<div class="empty">
    <p>No issue has been taken on yet.</p>
    <p class="muted">
      Give an issue the label <code>mergewright</code>, comment <code>/mergewright run</code> on it, or run
      <code>mergewright run --repo OWNER/REPO --issue N</code>.
    </p>
  </div>`;
}
