// Every view at three sizes: nothing is cut, lies over something else, or makes the page move sideways. A picture of each is kept
// in target/screenshots, or in the folder that SCREENSHOTS names.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { show, VIEWS } from "./states.mjs";
import { visits } from "./visit.mjs";

const FOLDER = process.env.SCREENSHOTS ?? fileURLToPath(new URL("../../target/screenshots", import.meta.url));
const SIZES = { 1440: { width: 1440, height: 900 }, 1920: { width: 1920, height: 1080 }, 390: { width: 390, height: 844 } };

/** What a careful look at the page finds wrong, in words. Runs in the page. */
function faults() {
  const found = [];
  const named = (one) => `${one.tagName.toLowerCase()}${one.dataset.testid ? `[${one.dataset.testid}]` : ""} ${JSON.stringify((one.innerText ?? "").slice(0, 60))}`;
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`the page moves sideways: ${root.scrollWidth} in ${root.clientWidth}`);
  const isShown = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && one.getClientRects().length > 0;
  // Whether it can be moved into sight inside something that scrolls sideways.
  const scrolls = (one) => {
    for (let above = one.parentElement; above; above = above.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(above).overflowX) && above.scrollWidth > above.clientWidth) return true;
    }
    return false;
  };
  for (const one of document.body.querySelectorAll("*")) {
    const hasText = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!hasText || !isShown(one) || one.closest("svg")) continue;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    // What only readers of the screen hear.
    if (box.width <= 1 || box.height <= 1) continue;
    if (style.overflowX !== "visible" && style.textOverflow !== "ellipsis" && !["auto", "scroll"].includes(style.overflowX) && one.scrollWidth > one.clientWidth + 1) found.push(`cut: ${named(one)}`);
    if (style.overflowX === "visible" && one.scrollWidth > Math.ceil(box.width) + 1 && style.display !== "inline" && !scrolls(one)) found.push(`runs out of its box: ${named(one)}`);
    if ((box.right > root.clientWidth + 1 || box.left < -1) && !scrolls(one)) found.push(`beyond the edge: ${named(one)}`);
  }
  // Of what can be clicked here, that which lies on top.
  const onTop = [...document.querySelectorAll("button, a[href], input, select, textarea, summary")].filter((one) => {
    if (!isShown(one)) return false;
    const box = one.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return at && (one === at || one.contains(at) || one.labels?.[0]?.contains(at));
  });
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  // Where something of it is to be read: its words, or the whole of what has none.
  const read = (one) => {
    const words = [];
    const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      if (!walk.currentNode.data.trim() || !isShown(walk.currentNode.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(walk.currentNode);
      words.push(...range.getClientRects());
    }
    // Words for those who only hear them lie beside it.
    const box = one.getBoundingClientRect();
    const cut = ({ left, top, right, bottom }) => ({ left: Math.max(left, box.left), top: Math.max(top, box.top), right: Math.min(right, box.right), bottom: Math.min(bottom, box.bottom) });
    const within = words.filter((word) => meet(word, box)).map(cut);
    return within.length > 0 ? within : [box];
  };
  // What opens over the page covers it.
  const layer = (one) => one.closest("dialog, [popover], [role=menu], [role=dialog], .views-box");
  const placed = onTop.map((one) => ({ one, layer: layer(one), at: read(one) }));
  for (const [place, a] of placed.entries()) {
    for (const b of placed.slice(place + 1)) {
      if (a.layer !== b.layer || a.one.contains(b.one) || b.one.contains(a.one)) continue;
      if (a.at.some((one) => b.at.some((other) => meet(one, other)))) found.push(`${named(a.one)} lies over ${named(b.one)}`);
    }
  }
  return found;
}

visits("screens", (visit, test) => {
  mkdirSync(FOLDER, { recursive: true });

  test("what is wrong is seen", async () => {
    await show(visit, VIEWS["nothing yet"], "light");
    await visit.page.evaluate(() => {
      const put = (html, style) => {
        const one = document.createElement("div");
        one.innerHTML = html;
        for (const [name, value] of Object.entries(style)) one.style[name] = value;
        document.body.append(one);
      };
      put("wide", { position: "absolute", top: "0", left: "0", width: "3000px" });
      put("these words are cut", { position: "fixed", top: "300px", left: "10px", width: "3rem", overflow: "hidden", whiteSpace: "nowrap" });
      for (const left of ["200px", "290px"]) put("<button>one over another</button>", { position: "fixed", top: "400px", left, zIndex: "99" });
    });
    const found = (await visit.page.evaluate(faults)).join("\n");
    for (const fault of ["moves sideways", 'beyond the edge: div "wide"', 'cut: div "these words', 'lies over button "one over another"']) assert.ok(found.includes(fault), `${fault}: ${found}`);
  });

  for (const [name, view] of Object.entries(VIEWS)) {
    test(name, async () => {
      await show(visit, view, "light");
      const wrong = [];
      for (const [size, viewport] of Object.entries(SIZES)) {
        await visit.page.setViewportSize(viewport);
        await visit.settled();
        // The lists are one long page; what opens beside them is as high as the screen.
        const fullPage = !view.hash;
        await visit.page.screenshot({ path: join(FOLDER, `${name.replaceAll(/[^a-z]+/g, "-")}-${size}.png`), fullPage });
        wrong.push(...(await visit.page.evaluate(faults)).map((fault) => `${size}: ${fault}`));
      }
      assert.deepEqual(wrong, []);
    });
  }
});
