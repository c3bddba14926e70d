// The sheet for the board and the other pages that the server writes, in a real browser without scripts, from the real program.
// The program is target/debug/tenon, or the one that TENON names.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";

import { THEN, then } from "./answers.mjs";
import { launch } from "./browser.mjs";
import { demonstrated, missing } from "./program.mjs";
import { visits } from "./visit.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = [[1440, 900], [1920, 1080], [390, 844]];

/** What stands out of the screen, or is cut: elements wider than their box, or beyond the edge. */
const cut = (page) =>
  page.evaluate(() => {
    const seen = (element) => !element.closest(".unseen");
    const wide = [...document.querySelectorAll("body *")].filter((one) => seen(one) && (one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < -1));
    return wide.map((one) => `${one.tagName} ${one.textContent.slice(0, 40)}`);
  });

describe("the sheet without scripts", { timeout: 240_000 }, () => {
  let folder, server, browser, session, address;
  const test = (title, body) => {
    if (missing) console.log(`skipped: ${title}: ${missing}`);
    it(title, { skip: missing ? `skipped: ${title}: ${missing}` : false }, body);
  };
  before(async () => {
    if (missing) return;
    folder = mkdtempSync(join(tmpdir(), "tenon-board-"));
    browser = await launch();
    const started = await demonstrated(folder);
    server = started.server;
    address = started.link.replace(/#.*/, "");
    // The link signs in with a script; the cookie that it leaves is all that the pages need.
    const context = await browser.newContext();
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    await page.goto(started.link);
    // Until the story has something to tell.
    await page.locator("[data-testid=guide][data-part='6']").waitFor();
    session = await context.storageState();
    await context.close();
  });
  after(async () => {
    await browser?.close();
    server?.kill();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** A page with scripts off, in dark as far as the system says, which the sheet does not follow. */
  const visited = async (path, options = {}) => {
    const context = await browser.newContext({ javaScriptEnabled: false, colorScheme: "dark", storageState: session, ...options });
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => /Content Security Policy|Refused to/i.test(message.text()) && complaints.push(message.text()));
    await page.goto(address + path);
    return { page, context, complaints };
  };

  test("it says all of it, light, with nothing cut, at every size", async () => {
    for (const [width, height] of SIZES) {
      const { page, context, complaints } = await visited("board", { viewport: { width, height } });
      const text = (await page.locator("main").innerText()).replace(/\s+/g, " ");
      for (const said of [/30 days up to \d{4}-\d\d-\d\d \d\d:\d\d UTC, 2,000 assets, entry [\d,]+ of the record/, /A demonstration: every host and every advisory here is invented/, /Like for like, exposure went from|Too early to say/, /\d+ directives? to do/, /newly seen/]) {
        assert.match(text, said, `${width}`);
      }
      assert.deepEqual(await cut(page), [], `${width}`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(243, 245, 247)");
      assert.deepEqual(complaints, []);
      await context.close();
    }
  });

  test("it is one sheet of paper, black on white", async () => {
    const { page, context } = await visited("board");
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("a:visible").count(), 0, "nothing on it that can only be pressed");
    const [ground, ink] = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]);
    assert.deepEqual([ground, ink], ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
    const paper = await page.pdf({ preferCSSPageSize: true });
    const text = paper.toString("latin1");
    assert.equal(text.match(/\/Type\s*\/Page\b/g)?.length, 1);
    const [, width, height] = /\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/.exec(text);
    assert.deepEqual([Math.round(width), Math.round(height)], [595, 842], "A4, in points");
    // As wide as the paper without its edges.
    await page.setViewportSize({ width: 688, height: 1000 });
    assert.deepEqual(await cut(page), []);
    await context.close();
  });

  test("it tells of then, and leads back to then", async () => {
    const { page, context } = await visited("board?as_of=300");
    assert.match(await page.locator("header .sub").innerText(), /entry 300 of the record, as it stood then/);
    assert.equal(await page.getByTestId("leave-board").getAttribute("href"), "/?as_of=300");
    await page.goto(`${address}board?as_of=2020-01-01`);
    assert.match(await page.locator("main").innerText(), /the record begins at/);
    await context.close();
  });

  test("the page says where to go, and every dead end leads on", async () => {
    const { page, context } = await visited("");
    assert.match(await page.locator("main").innerText(), /needs JavaScript/);
    await page.getByRole("link", { name: "one sheet" }).click();
    await page.getByTestId("board").waitFor();
    await page.goto(`${address}no-such-page`);
    assert.match(await page.locator("main").innerText(), /There is no such thing/);
    assert.deepEqual(await cut(page), []);
    await page.getByRole("link", { name: "To the queue" }).click();
    await context.close();
    // Nobody's cookie: signing in is one step away.
    const cookies = [{ name: "tenon_session", value: "0".repeat(64), url: address }];
    const ended = await visited("", { storageState: { cookies: [], origins: [] }, viewport: { width: 390, height: 844 } });
    await ended.context.addCookies(cookies);
    await ended.page.goto(`${address}board`);
    assert.match(await ended.page.locator("main").innerText(), /the session has ended: sign in again/);
    assert.deepEqual(await cut(ended.page), []);
    await ended.page.getByRole("link", { name: "Sign in" }).click();
    await ended.page.getByLabel("Password").waitFor();
    assert.deepEqual(ended.complaints, []);
    await ended.context.close();
  });

  test("axe finds nothing serious on it", async () => {
    for (const path of ["board", "sign-in", "welcome", "no-such-page"]) {
      const { page, context } = await visited(path, { javaScriptEnabled: true });
      await page.evaluate(AXE);
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      assert.ok(passes.length > 5, "axe looked at the page");
      assert.deepEqual(violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ id, nodes }) => `${path}: ${id}: ${nodes[0].html}`), []);
      await context.close();
    }
  });
});

visits("the way to the sheet", (visit, test) => {
  const { id, linked, opened, settled } = visit;
  let tenon, page;
  beforeEach(() => ({ tenon, page } = visit));

  test("leads there from the scoreboard and by the keyboard, with the moment that is shown", async () => {
    await opened();
    await id("to-board").click();
    await page.waitForURL(`${tenon.address}board`);
    tenon.past[THEN] = then();
    await page.goto(`${tenon.address}?as_of=${THEN}`);
    await linked("paused");
    await page.locator(".lists:not(:has([aria-busy=true]))").waitFor();
    await settled();
    await page.keyboard.press("Control+k");
    await id("palette-text").fill("board");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/board\?as_of=/);
    assert.equal(new URL(page.url()).searchParams.get("as_of"), THEN);
  });
});
