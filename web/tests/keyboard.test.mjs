// The whole page by the keyboard: Tab reaches everything that can be clicked, each stop is seen, and nothing holds the keyboard.
import assert from "node:assert/strict";

import { addressee, large, log, open, overview, retired } from "./answers.mjs";
import { HISTORY } from "./backtests.mjs";
import { rolling } from "./rollouts.mjs";
import { visits } from "./visit.mjs";

/** Steps without anything new after which a walk is over: it went round, or something holds it. */
const ROUND = 60;

/** In the page: marks everything that can be clicked and takes a stop of its own, and gives how many there are. */
function marked() {
  const box = (one) => one.getBoundingClientRect();
  const shown = (one) => one.checkVisibility({ checkOpacity: true, visibilityProperty: true }) && box(one).width > 0 && box(one).height > 0 && !one.closest("[inert]");
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=button], [tabindex='0']")].filter((one) => shown(one) && !one.disabled);
  // A list is one stop: from there arrows walk, over what is of its kind.
  const stops = all.filter((one) => one.tabIndex >= 0 && !(one.type === "radio" && !one.checked));
  stops.forEach((one, at) => one.setAttribute("data-stop", at));
  const kinds = new Set(stops.map((one) => one.dataset.testid));
  const without = all.filter((one) => one.tabIndex < 0 && !kinds.has(one.dataset.testid));
  return { stops: stops.length, without: without.map((one) => one.outerHTML.slice(0, 120)) };
}

/** In the page: where the keyboard is now, and whether that is seen. */
function focused() {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const [x, y] = [Math.min(innerWidth - 1, Math.max(0, (left + right) / 2)), Math.min(innerHeight - 1, Math.max(0, (top + bottom) / 2))];
  const there = document.elementFromPoint(x, y);
  return {
    stop: one.getAttribute("data-stop"),
    says: one.outerHTML.slice(0, 140),
    ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 1,
    inSight: bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
    covered: there !== null && !one.contains(there) && !there.contains(one) && !there.closest("label")?.contains(one),
    by: there?.outerHTML.slice(0, 100),
  };
}

const VIEWS = {
  "the lists": { world: overview },
  "all sections with something in them": {
    world: overview,
    more: { backtest: HISTORY, open: [open("CVE-2026-1001", { exploited: true })], messages: [addressee()], retired, log },
  },
  "a long queue in parts": { world: () => large(300, 30), search: "?by=group" },
  "a directive beside the lists": { world: overview, hash: "#dir_2" },
  "a rollout": { world: rolling, hash: "#dir_11" },
  "an asset": { world: overview, hash: "#ast_00000000000000000000000000000003" },
  "a vulnerability": { world: overview, hash: "#CVE-2026-1001" },
  "a policy under edit": { world: overview, click: "try-policy" },
};

visits("keyboard", (visit, test) => {
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    for (const [name, { world, more, search = "", hash, click }] of Object.entries(VIEWS)) {
      test(`${name}, ${width} wide`, async () => {
        const { page } = visit;
        await page.setViewportSize({ width, height });
        visit.tenon.overview = world();
        Object.assign(visit.tenon, more);
        await visit.opened(hash);
        if (search) await page.goto(visit.tenon.address + search);
        if (click) await visit.id(click).click();
        await page.locator("body:not(:has([aria-busy=true]))").waitFor();
        await visit.settled();
        // What comes when it is seen is there before it is counted.
        await page.evaluate(async () => {
          for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
            scrollTo(0, y);
            await new Promise((drawn) => requestAnimationFrame(drawn));
          }
          scrollTo(0, 0);
        });
        await visit.settled();
        const { stops, without } = await page.evaluate(marked);
        assert.deepEqual(without, [], "what can be clicked and is in no list that arrows walk is a stop");
        assert.ok(stops > 0, "there is something to walk");
        const seen = new Set();
        for (let idle = 0; seen.size < stops && idle < stops + ROUND; idle += 1) {
          await page.keyboard.press("Tab");
          const here = await page.evaluate(focused);
          // Past the last stop the browser has the keyboard, and then it begins anew. A field of a month has several stops.
          if (here === null || here.stop === null || seen.has(here.stop)) continue;
          seen.add(here.stop);
          idle = 0;
          assert.ok(here.ring, `no ring is seen on ${here.says}`);
          assert.ok(here.inSight, `out of sight: ${here.says}`);
          assert.ok(!here.covered, `covered by ${here.by}: ${here.says}`);
        }
        const missed = await page.evaluate((seen) => [...document.querySelectorAll("[data-stop]")].filter((one) => !seen.includes(one.dataset.stop)).map((one) => one.outerHTML.slice(0, 140)), [...seen]);
        assert.deepEqual(missed, [], "Tab reaches everything that can be clicked");
      });
    }
  }
});
