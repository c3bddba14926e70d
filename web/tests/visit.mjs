// The built page in Chromium against a stand-in: one browser for a file of tests, one stand-in and one page for each.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";

import { hasChromium, launch } from "./browser.mjs";
import { StandIn, TOKEN } from "./stand-in.mjs";

const here = hasChromium();
if (here && !existsSync(new URL("../dist/index.html", import.meta.url))) throw new Error("the page is not built: npm run build");

/** Tests of the page. `tests` gets what they need of it; a test names itself where it cannot run. */
export function visits(name, tests) {
  describe(name, { timeout: 480_000 }, () => {
    let browser;
    const visit = {
      tenon: null,
      context: null,
      page: null,
      complaints: [],
      id: (testid) => visit.page.getByTestId(testid),
      linked: (state) => visit.page.locator(`[data-testid=live-state][data-state=${state}]`).waitFor(),
      underway: new Set(),
      /** Until the page has asked what it wants to know: nothing is under way, and when all of it is drawn still nothing is. */
      async settled() {
        const deadline = Date.now() + 15_000;
        do {
          assert.ok(Date.now() < deadline, `still asking: ${[...visit.underway].map((request) => request.url())}`);
          await visit.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
        } while (visit.underway.size > 0);
      },
      /** The page, live and with its lists, and what `hash` names in its panel. */
      async opened(hash = "") {
        await visit.page.goto(`${visit.tenon.address}#token=${TOKEN}`);
        await visit.linked("live");
        await visit.page.locator(".lists:not(:has([aria-busy=true]))").waitFor();
        await visit.settled();
        if (!hash) return;
        await visit.page.evaluate((to) => (location.hash = to), hash);
        await visit.shown(hash.slice(1));
      },
      /** The panel with what this id names. */
      async shown(of) {
        await visit.page.locator(`[data-panel-id="${of}"]:not(:has([aria-busy=true]))`).waitFor();
        await visit.settled();
      },
      /** The next write that arrives. */
      async wrote(act) {
        const answered = visit.page.waitForResponse((response) => response.request().method() === "POST");
        await act();
        await answered;
        return visit.tenon.writes.at(-1);
      },
    };
    before(async () => {
      if (here) browser = await launch();
    });
    after(async () => browser?.close());
    beforeEach(async () => {
      if (!here) return;
      visit.tenon = await new StandIn().start();
      visit.context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: "Europe/Berlin", locale: "en-GB" });
      visit.context.setDefaultTimeout(15_000);
      visit.page = await visit.context.newPage();
      visit.complaints = [];
      visit.underway = new Set();
      visit.page.on("request", (request) => request.url().endsWith("/events") || visit.underway.add(request));
      for (const end of ["requestfinished", "requestfailed"]) visit.page.on(end, (request) => visit.underway.delete(request));
      visit.page.on("dialog", (dialog) => {
        visit.complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      visit.page.on("pageerror", (error) => visit.complaints.push(`error: ${error.message}`));
      visit.page.on("console", (message) => {
        if (/Content Security Policy|Refused to|Warning:/i.test(message.text())) visit.complaints.push(message.text());
      });
    });
    afterEach(async () => {
      if (!here) return;
      await visit.context.close();
      await visit.tenon.stop();
      assert.deepEqual(visit.complaints, [], "the page broke its own security policy, or ran what it must not run");
    });
    tests(visit, (title, body) => {
      if (!here) console.log(`skipped: ${title}: no chromium`);
      it(title, { skip: here ? false : `skipped: ${title}: no chromium` }, body);
    });
  });
}
