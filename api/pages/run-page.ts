/** `GET /runs/ID`: the story of one run, with its evidence and what can be said to it. */
import { html } from "hono/html";
import { runName } from "../../domain/ids.ts";
import { isEnded, type Evidence, type TestRun } from "../../domain/run.ts";
import type { Session } from "../access.ts";
import type { RunView } from "../runs.ts";
import { actions } from "./actions.ts";
import { link, moment, type Html } from "./layout.ts";
import { gitHubIssueUrl, temporalUrl, type PageLinks } from "./links.ts";
import { money, PHASE_WORDS, span, stationsOf, toneOf, utc, waitWords } from "./words.ts";

export interface RunPage {
  run: RunView;
  links: PageLinks;
  session: Session | null;
  guarded: boolean;
  now: Date;
  /** What became of the change that was just asked for. */
  said: Html | null;
}

export function runPage({ run, links, session, guarded, now, said }: RunPage): Html {
  return html`${said}
    <div id="head" data-live>
      <p class="crumbs">
        ${link(gitHubIssueUrl(links, run), runName(run))}
        ${run.pullRequest ? html` · pull request ${link(run.pullRequest.url, `#${run.pullRequest.number}`)}` : null}
        ${temporalUrl(links, run) === null ? null : html` · ${link(temporalUrl(links, run), "workflow in Temporal")}`}
      </p>
      <h1>${run.title || `Issue ${run.issue}`}</h1>
      <p class="state">
        <span class="phase ${toneOf(run)}">${PHASE_WORDS[run.phase] ?? run.phase}</span>
        <span role="status">${stateSentence(run)}</span>
      </p>
      ${run.incomplete === null ? null : html`<p class="notice quiet">${run.incomplete}</p>`} ${track(run)}
    </div>
    ${actions({ run, session, guarded })}
    <div id="story" data-live>
      ${facts(run, now)} ${evidence(run.evidence)} ${plan(run)} ${agents(run)} ${refused(run, now)} ${history(run, now)}
    </div>`;
}

function stateSentence(run: RunView): string {
  const { outcome, waitingFor } = run;
  if (outcome?.kind === "merged") return `Merged as ${outcome.sha.slice(0, 12)}.`;
  if (outcome) return outcome.reason;
  const waits = waitWords(run);
  return waits === null ? "" : `Waits for ${waits}. ${waitingFor?.detail ?? ""}`;
}

function track(run: RunView): Html {
  const spoken = { done: "done", now: "under way", stopped: "ended here", ahead: "to come" };
  return html`<ol class="track" aria-label="Phases">
    ${stationsOf(run).map(
      ({ name, state }) =>
        html`<li class="${state}" ${state === "now" ? html`aria-current="step"` : null}>
          ${name}<span class="hidden">, ${spoken[state]}</span>
        </li>`,
    )}
  </ol>`;
}

function facts(run: RunView, now: Date): Html {
  const { execution } = run;
  const ended = execution.closedAt;
  const lasted = span(Date.parse(ended ?? now.toISOString()) - Date.parse(execution.startedAt)) || "under 1 s";
  return html`<dl class="facts">
    <div>
      <dt>Cost</dt>
      <dd>
        ${money(run.costUsd)}${run.budgetUsd > 0 ? html` <span class="muted">of ${money(run.budgetUsd)}</span>` : null}
      </dd>
    </div>
    <div>
      <dt>Model</dt>
      <dd>${run.modelCalls} calls <span class="muted">in ${run.turns} turns</span></dd>
    </div>
    <div>
      <dt>Kind</dt>
      <dd>${run.category ?? "–"}</dd>
    </div>
    <div>
      <dt>Head</dt>
      <dd>${run.pullRequest?.headSha ? html`<code>${run.pullRequest.headSha.slice(0, 12)}</code>` : "–"}</dd>
    </div>
    <div>
      <dt>Started</dt>
      <dd>${moment(execution.startedAt, now)}</dd>
    </div>
    <div>
      <dt>${isEnded(run.phase) ? "Took" : "Running for"}</dt>
      <dd>${lasted}</dd>
    </div>
  </dl>`;
}

function evidence({ failsOnBase, passesOnBranch, command, outputs }: Evidence): Html {
  return html`<section aria-labelledby="evidence">
    <h2 id="evidence">Evidence</h2>
    <ul class="claims">
      ${claim(failsOnBase, "The new test fails without the change")}
      ${claim(passesOnBranch, "All tests pass with the change")}
    </ul>
    ${command === null ? null : html`<p>Tested with <code>${command}</code></p>`} ${outputs.map(testRun)}
  </section>`;
}

function claim(holds: boolean | null, text: string): Html {
  const [tone, mark, spoken] =
    holds === null ? ["open", "○", "not shown yet: "] : holds ? ["good", "✓", "shown: "] : ["bad", "✗", "not so: "];
  return html`<li class="${tone}">
    <span aria-hidden="true">${mark}</span> <span class="hidden">${spoken}</span>${text}
  </li>`;
}

const TREES: Record<TestRun["on"], string> = {
  base: "Without the change",
  "base-with-new-tests": "Without the change, with the new tests",
  branch: "With the change",
};

function testRun({ on, exitCode, output, durationMs }: TestRun, index: number): Html {
  const ending = exitCode === null ? "did not end by itself" : `exit ${exitCode}`;
  // New tests that pass without the change show nothing.
  const asItShould = on === "base-with-new-tests" ? exitCode !== null && exitCode !== 0 : exitCode === 0;
  return html`<details id="output-${index}">
    <summary>
      ${TREES[on] ?? on}: <span class="${asItShould ? "good" : "bad"}">${ending}</span>
      <span class="muted">after ${(durationMs / 1000).toFixed(1)} s</span>
    </summary>
    <pre tabindex="0">${output || "(it printed nothing)"}</pre>
  </details>`;
}

function plan(run: RunView): Html | null {
  if (run.plan === null) return null;
  return html`<section aria-labelledby="plan">
    <h2 id="plan">Plan</h2>
    <div class="prose">${run.plan}</div>
  </section>`;
}

function agents(run: RunView): Html | null {
  if (run.agents.length === 0) return null;
  return html`<section aria-labelledby="agents">
    <h2 id="agents">Agents</h2>
    <table>
      <thead>
        <tr>
          <th scope="col">Role</th>
          <th scope="col">State</th>
          <th scope="col" class="number">Turns</th>
          <th scope="col" class="number">Cost</th>
        </tr>
      </thead>
      <tbody>
        ${run.agents.map(
          ({ role, state, turns, costUsd }) =>
            html`<tr>
              <th scope="row">${role}</th>
              <td>${state}</td>
              <td class="number">${turns}</td>
              <td class="number">${money(costUsd)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

function refused(run: RunView, now: Date): Html | null {
  if (run.refused.length === 0) return null;
  return html`<section aria-labelledby="refused">
    <h2 id="refused">Not obeyed</h2>
    <ul class="log">
      ${run.refused.map(
        ({ message, by, reason, at }) =>
          html`<li>
            ${moment(at, now)}
            <span><strong>${message}</strong>${by === null ? null : html` by @${by}`}: ${reason}</span>
          </li>`,
      )}
    </ul>
  </section>`;
}

function history(run: RunView, now: Date): Html | null {
  if (run.phases.length === 0) return null;
  const next = (index: number) => run.phases[index + 1]?.at ?? run.execution.closedAt ?? now.toISOString();
  return html`<section aria-labelledby="history">
    <h2 id="history">What happened</h2>
    <ol class="log">
      ${run.phases.map(
        ({ phase, at }, index) =>
          html`<li>
            <time datetime="${at}">${utc(at)}</time>
            <span>${PHASE_WORDS[phase] ?? phase}</span>
            <span class="muted">${isEnded(phase) ? "" : span(Date.parse(next(index)) - Date.parse(at))}</span>
          </li>`,
      )}
    </ol>
  </section>`;
}
