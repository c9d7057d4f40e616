/** The login form: the API token, and the GitHub login in whose name changes are made. */
import { html } from "hono/html";
import { notice, type Html } from "./layout.ts";

export function loginPage({ next, login, wrong }: { next: string; login: string; wrong: string | null }): Html {
  return html`<section class="login">
    <h1>Log in</h1>
    ${wrong === null ? null : notice("bad", wrong)}
    <form method="post" action="/login">
      <input type="hidden" name="next" value="${next}" />
      <label>
        API token
        <input name="token" type="password" required autocomplete="current-password" autofocus />
        <span class="muted">The value of <code>MERGEWRIGHT_API_TOKEN</code></span>
      </label>
      <label>
        GitHub login
        <input
          name="login"
          required
          maxlength="100"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          value="${login}"
        />
        <span class="muted">What you do here is done in this name, and GitHub is asked whether it may</span>
      </label>
      <button class="primary">Log in</button>
    </form>
  </section>`;
}
