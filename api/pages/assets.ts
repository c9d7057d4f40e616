/** The one style sheet and the one script, under names that change with their content. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Asset {
  content: string;
  type: string;
}

const style = load("style.css", "text/css; charset=utf-8");
const live = load("live.js", "text/javascript; charset=utf-8");

export const STYLE_URL = style.url;
export const LIVE_URL = live.url;
/** By path. */
export const assets: ReadonlyMap<string, Asset> = new Map([style, live].map(({ url, ...asset }) => [url, asset]));

function load(name: string, type: string): Asset & { url: string } {
  const content = readFileSync(new URL(name, import.meta.url), "utf8");
  const version = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { url: `/assets/${version}-${name}`, content, type };
}
