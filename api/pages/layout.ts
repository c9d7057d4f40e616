/** The frame of every page. All text goes through the `html` tag, which escapes it; nothing here is marked as raw. */
import { html } from "hono/html";
import type { Session } from "../access.ts";
import { STYLE_URL, LIVE_URL } from "./assets.ts";
import { ago, utc } from "./words.ts";

export type Html = ReturnType<typeof html>;

export interface Frame {
  title: string;
  session: Session | null;
  /** Does anybody need to log in here? */
  guarded: boolean;
  /** Where the page can be read anew while it is open; null: it does not change by itself. */
  liveUrl: string | null;
}

export function page({ title, session, guarded, liveUrl }: Frame, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Mergewright</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${STYLE_URL}" />
        ${
          liveUrl === null
            ? null
            : html`<noscript><meta http-equiv="refresh" content="15" /></noscript>
                <script src="${LIVE_URL}" defer></script>`
        }
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <a class="name" href="/">Mergewright</a>
          <span class="offline" id="offline" role="status" hidden>Not connected. Showing what was last known.</span>
          ${sessionCorner(session, guarded)}
        </header>
        <main id="content" ${liveUrl === null ? null : html`data-live-url="${liveUrl}"`}>${content}</main>
      </body>
    </html> `;
}

function sessionCorner(session: Session | null, guarded: boolean): Html {
  if (session) {
    return html`<form class="corner" method="post" action="/logout">
      <span>@${session.login}</span>
      <input type="hidden" name="key" value="${session.formKey}" />
      <button class="link">Log out</button>
    </form>`;
  }
  return guarded
    ? html`<a class="corner" href="/login">Log in</a>`
    : html`<span class="corner muted" title="Set MERGEWRIGHT_API_TOKEN to change runs here">Read only</span>`;
}

export function notice(tone: "good" | "bad", text: string): Html {
  return html`<p class="notice ${tone}" role="alert">${text}</p>`;
}

/** A moment, with the exact time on hover. */
export function moment(iso: string, now: Date): Html {
  return html`<time datetime="${iso}" title="${utc(iso)}">${ago(iso, now)}</time>`;
}

/** A link, or plain text where the address is none that a browser should follow. */
export function link(url: string | null, text: string | Html): string | Html {
  return url !== null && /^https?:\/\//i.test(url) ? html`<a href="${url}">${text}</a>` : text;
}
