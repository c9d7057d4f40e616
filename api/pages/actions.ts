/** The buttons of a run, for those who may press them; for the others, the way to do it. */
import { html } from "hono/html";
import { isEnded } from "../../domain/run.ts";
import type { TaskChange } from "../../domain/tasks.ts";
import type { Session } from "../access.ts";
import type { RunView } from "../runs.ts";
import type { Html } from "./layout.ts";
import { runUrl } from "./links.ts";

export interface Actions {
  run: RunView;
  session: Session | null;
  guarded: boolean;
}

export function actions({ run, session, guarded }: Actions): Html {
  return html`<section id="actions" class="actions" aria-label="What you can do" data-live>
    ${isEnded(run.phase) ? null : session ? buttons(run, session) : instead(run, guarded)}
  </section>`;
}

function buttons(run: RunView, session: Session): Html {
  const approvable = run.phase === "awaiting-approval" && run.pullRequest !== null;
  const button = (change: TaskChange, label: string, style = "") =>
    form(run, session, change, html`<button class="${style}">${label}</button>`);
  return html`
    ${
      approvable
        ? form(
            run,
            session,
            "approve",
            // Bound to the commit that this page shows: a later push is refused, not merged.
            html`<input type="hidden" name="sha" value="${run.pullRequest?.headSha ?? ""}" />
              <button class="primary">Approve and merge <code>${run.pullRequest?.headSha.slice(0, 7)}</code></button>`,
          )
        : null
    }
    ${run.phase === "paused" ? button("resume", "Resume", "primary") : null}
    ${run.phase !== "paused" && run.waitingFor?.kind === "operator" ? button("resume", "Try again", "primary") : null}
    ${run.phase === "paused" ? null : button("pause", "Pause")}
    <details id="end-run">
      <summary>Reject or cancel</summary>
      ${form(
        run,
        session,
        "reject",
        html`<label>Why <input name="reason" required maxlength="2000" autocomplete="off" /></label>
          <button class="danger">Reject</button>
          <span class="muted">closes the pull request and says why</span>`,
      )}
      ${form(
        run,
        session,
        "cancel",
        html`<button class="danger">Cancel the run</button> <span class="muted">stops it where it is</span>`,
      )}
    </details>
  `;
}

function form(run: RunView, session: Session, change: TaskChange, content: Html): Html {
  return html`<form method="post" action="${runUrl(run.id)}/${change}">
    <input type="hidden" name="key" value="${session.formKey}" />
    ${content}
  </form>`;
}

function instead(run: RunView, guarded: boolean): Html | null {
  const canApprove = run.phase === "awaiting-approval";
  if (guarded) {
    return html`<p>
      <a class="button ${canApprove ? "primary" : ""}" href="/login?next=${encodeURIComponent(runUrl(run.id))}"
        >Log in to ${canApprove ? "approve" : "pause or end this run"}</a
      >
    </p>`;
  }
  if (!canApprove) return null;
  return html`<div class="notice quiet">
    <p>
      To approve here, set <code>MERGEWRIGHT_API_TOKEN</code> and restart. Or comment <code>/mergewright approve</code>,
      or:
    </p>
    <pre tabindex="0">
temporal workflow signal --workflow-id '${run.id}' --name approveMerge --input '{"by": "YOUR-LOGIN", "sha": "${run.pullRequest?.headSha ?? "HEAD"}"}'</pre>
  </div>`;
}
