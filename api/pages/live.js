// @ts-nocheck It runs in the browser; the program's types are those of Node.
// Reads the page anew every other second and exchanges the parts that changed. Without it the page reloads by itself.
const EVERY_MS = 2000;
const main = document.querySelector("main[data-live-url]");
const offline = document.getElementById("offline");
let running = false;

async function refresh() {
  if (running || document.hidden) return;
  running = true;
  try {
    const response = await fetch(main.dataset.liveUrl, { headers: { accept: "text/html" }, cache: "no-store" });
    if (response.status === 429) return;
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of fresh.querySelectorAll("[data-live]")) exchange(part);
    offline.hidden = true;
  } catch {
    // The server is away or the session has ended: the page stays as it was last, and says so.
    offline.hidden = false;
  } finally {
    running = false;
  }
}

function exchange(fresh) {
  const shown = document.getElementById(fresh.id);
  if (!shown || isInUse(shown)) return;
  // What the reader opened stays open, also where the text around it changed.
  for (const opened of shown.querySelectorAll("details[open][id]")) {
    fresh.querySelector(`#${CSS.escape(opened.id)}`)?.setAttribute("open", "");
  }
  if (fresh.innerHTML !== shown.innerHTML) shown.innerHTML = fresh.innerHTML;
}

// Somebody is about to press a button, writes a reason, or copies an output.
function isInUse(part) {
  const selection = document.getSelection();
  if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return true;
  return part.contains(document.activeElement) && document.activeElement.matches("input, button, pre");
}

if (main) {
  setInterval(() => void refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => void refresh());
}
