// Pictures of the page in its states, for looking at: node tools/screenshots.mjs FOLDER
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { launch } from "../tests/browser.mjs";
import { DEMO, large, log, overview, retired, THEN, then } from "../tests/answers.mjs";
import { rolling } from "../tests/rollouts.mjs";
import { StandIn, TOKEN } from "../tests/stand-in.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("usage: node tools/screenshots.mjs FOLDER");
await mkdir(folder, { recursive: true });

const SIZES = { 1440: { width: 1440, height: 900 }, 1920: { width: 1920, height: 1080 }, 390: { width: 390, height: 844 } };
const full = overview();
const observed = full.assets.map((asset) => ({ ...asset, mode: "observe" }));
const STATES = {
  lists: { world: full },
  forensics: { world: full, open: "#dir_1" },
  approve: { world: full, open: "#dir_2" },
  evidence: { world: full, open: "#dir_3", unfold: true },
  hostile: { world: full, open: "#dir_4" },
  asset: { world: full, open: "#ast_00000000000000000000000000000003" },
  observing: { world: { ...full, assets: observed, queue: full.queue.map((directive) => ({ ...directive, assets: directive.assets.map((asset) => ({ ...asset, stage: { name: "proposed" }, undo: null, units: [] })) })) } },
  running: { world: rolling(), open: "#dir_11", at: "rollout" },
  halted: { world: rolling(), open: "#dir_12", at: "rollout" },
  held: { world: rolling(), open: "#dir_13", at: "rollout" },
  many: { world: rolling(), open: "#dir_11", at: "hosts" },
  over: { world: rolling(), open: "#dir_14", at: "rollout" },
  large: { world: large(50_000, 100_000) },
  beside: { world: large(50_000, 100_000), open: "#dir_3" },
  demo: { world: { ...full, demo: DEMO } },
  "demo-beside": { world: { ...full, demo: DEMO }, open: "#dir_1" },
  nothing: { world: { ...full, queue: [], closed: [], closed_total: 0 } },
  first: { world: { ...full, seq: 2, assets: [], queue: [], closed: [], closed_total: 0, feeds: [] } },
  past: { world: full, search: `?as_of=${THEN}` },
  "past-beside": { world: full, search: `?as_of=${THEN}`, open: "#dir_2" },
  "no-past": { world: full, search: "?as_of=2026-10-01" },
  retired: { world: full, click: "to-retired", at: "assets" },
  offline: { world: full, offline: true },
};

const wanted = process.argv.slice(3);
const tenon = Object.assign(await new StandIn().start(), { past: { [THEN]: then() }, retired, log });
const browser = await launch();
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [state, { world, open = "", search, click, at, offline, unfold }] of Object.entries(STATES)) {
      const name = `${state}-${size}-${colorScheme}`;
      if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
      tenon.overview = world;
      const context = await browser.newContext({ viewport, colorScheme, timezoneId: "Europe/Berlin", locale: "en-GB" });
      const page = await context.newPage();
      await page.goto(`${tenon.address}#token=${TOKEN}`);
      await page.getByTestId("position").waitFor();
      if (search) {
        await page.goto(tenon.address + search);
        await page.getByTestId("past-mark").or(page.getByTestId("no-past")).waitFor();
      }
      if (click) await page.getByTestId(click).click();
      if (open) {
        await page.evaluate((hash) => (location.hash = hash), open);
        await page.getByTestId("panel").waitFor();
        await page.locator("[aria-busy]").waitFor({ state: "detached" });
      }
      if (at) await page.getByTestId(at).evaluate((part) => part.scrollIntoView({ block: "start" }));
      if (unfold) {
        await page.getByTestId("evidence-of").first().locator("summary").click();
        await page.getByTestId("evidence-of").first().scrollIntoViewIfNeeded();
        await page.getByTestId("output").first().waitFor();
        await page.getByTestId("output").first().scrollIntoViewIfNeeded();
      }
      if (offline) {
        await tenon.stop();
        await page.getByTestId("interruption").waitFor();
        await page.locator('[data-testid=live-state][data-state=offline]').waitFor();
      }
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: state === "lists" && size === "390" });
      if (offline) await tenon.start();
      await context.close();
    }
  }
}
await browser.close();
await tenon.stop();
