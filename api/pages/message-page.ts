/** A page that says one thing. */
import { html } from "hono/html";
import type { Html } from "./layout.ts";

export function messagePage(title: string, text: string): Html {
  return html`<h1>${title}</h1>
    <p>${text}</p>
    <p><a href="/">All runs</a></p>`;
}
