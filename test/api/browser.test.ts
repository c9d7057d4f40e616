import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen, type Listening } from "../../api/server.ts";
import { createTestApi, createWorld, TOKEN, type World } from "./support.ts";

const CHROMIUM = "/usr/bin/chromium";
const missing = existsSync(CHROMIUM) ? null : `there is no ${CHROMIUM} (apt-get install chromium)`;
/** No sandbox, since tests run as root in containers; and nothing that calls home. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe.skipIf(missing !== null)(
  missing === null ? "in a real browser" : `in a real browser, skipped: ${missing}`,
  () => {
    let world: World;
    let server: Listening;
    let browser: Browser;
    let id: string;

    beforeAll(async () => {
      world = await createWorld();
      const { app } = createTestApi({ runs: world.runs });
      server = await listen(app, { host: "127.0.0.1", port: 0, apiToken: TOKEN });
      browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
      ({ id } = await world.runs.startRun({ repository: world.repository(), issue: 5, by: null, kind: "api" }));
    });
    afterAll(async () => {
      await browser?.close();
      await server?.close();
      await world?.stop();
    });

    /** A page that fails the test when the browser refuses or fails to run anything on it. */
    async function open(path: string): Promise<{ page: Page; complaints: string[] }> {
      const page = await browser.newPage({ baseURL: server.url });
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        // A refused login is an answer that the browser also notes on its console.
        if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
      });
      await page.goto(path);
      return { page, complaints };
    }

    test("somebody logs in, watches the run change by itself, and approves what they see", async () => {
      const run = `/runs/${encodeURIComponent(id)}`;
      const { page, complaints } = await open(run);
      await page.getByLabel("API token").fill("wrong");
      await page.getByLabel("GitHub login").fill("ada");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("alert").getByText("not the API token").waitFor();
      await page.getByLabel("API token").fill(TOKEN);
      await page.getByRole("button", { name: "Log in" }).click();

      await page.getByRole("heading", { name: "Total is <b>wrong</b>" }).waitFor();
      expect(await page.locator("[aria-current=step]").innerText()).toContain("Approval");
      await page.getByText("Without the change, with the new tests").click();
      await page.getByText("<script>alert(1)</script>").waitFor();

      // Something happens elsewhere: the page follows, and what was opened stays open.
      await world.runs.send(id, "pause", { by: "bob" });
      await page.getByText("Waits for a person to resume it").waitFor({ timeout: 10_000 });
      expect(await page.getByText("<script>alert(1)</script>").isVisible()).toBe(true);

      await page.getByRole("button", { name: "Resume" }).click();
      await page.getByRole("button", { name: /Approve and merge aaaaaaa/ }).click();
      await page.getByText(`Merged as ${"b".repeat(12)}.`).waitFor({ timeout: 10_000 });
      expect(await page.getByRole("button", { name: "Pause" }).count()).toBe(0);

      await page.getByRole("link", { name: "Mergewright" }).click();
      await page.getByRole("heading", { name: /Runs/ }).waitFor();
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByLabel("API token").waitFor();
      expect(complaints).toEqual([]);
    });

    test("the pages are read on a narrow screen without scrolling sideways, and without any script", async () => {
      const api = createTestApi({ runs: world.runs, apiToken: null });
      const open = await listen(api.app, { host: "127.0.0.1", port: 0, apiToken: null });
      const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
      const page = await context.newPage();
      for (const path of ["/", `/runs/${encodeURIComponent(id)}`]) {
        await page.goto(`${open.url}${path}`);
        const widths = await page.evaluate(
          "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        );
        const [content, screen] = widths as [number, number];
        expect(content).toBeLessThanOrEqual(screen);
      }
      await context.close();
      await open.close();
    });
  },
);
