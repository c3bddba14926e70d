// The way to everything by its name, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { assets, HOSTILE, overview, REHEARSAL, THEN, then } from "./answers.mjs";
import { rolling } from "./rollouts.mjs";
import { visits } from "./visit.mjs";

visits("palette", (visit, test) => {
  const { id, linked, opened, settled, shown, wrote } = visit;
  let tenon, page;
  beforeEach(() => ({ tenon, page } = visit));

  const active = () => page.evaluate(() => document.getElementById(document.activeElement?.getAttribute("aria-activedescendant"))?.dataset.choice ?? null);
  const choices = () => id("choice").evaluateAll((all) => all.map((one) => one.dataset.choice));
  const closed = () => id("palette").waitFor({ state: "detached" });
  /** Opens it and types, until what was asked for is answered. */
  const asked = async (text) => {
    if ((await id("palette").count()) === 0) {
      // What it offers is what is allowed when it is opened: nothing is under way then.
      await settled();
      await page.keyboard.press("Control+k");
    }
    await id("palette-text").fill(text);
    await page.locator("[data-testid=palette]:not(:has([aria-busy=true]))").waitFor();
  };

  test("is opened from anywhere, holds the keyboard, and gives it back on Escape", async () => {
    await opened("#dir_2");
    const row = page.locator("[data-testid=queue-row][data-id=dir_2]");
    await row.focus();
    await page.keyboard.press("Control+k");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("role")), "combobox");
    const box = id("palette-text");
    assert.equal(await box.getAttribute("aria-controls"), "palette-choices");
    assert.equal(await page.locator("#palette-choices").getAttribute("role"), "listbox");
    for (let step = 0; step < 3; step += 1) {
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)), "the page behind does not take the keyboard");
    }
    await box.focus();
    await page.keyboard.press("Escape");
    await closed();
    assert.equal(await page.evaluate(() => document.activeElement?.dataset.id), "dir_2");
    assert.equal(await id("panel").count(), 1, "the panel behind it stays");
    // The same key closes it; so does Cmd for who has that. From a text field, too.
    await id("affected-by-id").focus();
    await page.keyboard.press("Meta+k");
    await box.waitFor();
    await page.keyboard.press("Meta+k");
    await closed();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "affected-by");
    await id("palette-open").click();
    await box.waitFor();
  });

  test("goes to every view by the keyboard alone", async () => {
    await opened();
    await asked("");
    const offered = await choices();
    assert.deepEqual(offered.filter((one) => one.startsWith("view-")), ["queue", "trend", "scoreboard", "assets", "vulnerabilities", "reach", "policy", "due-dates", "backtest", "coverage", "feeds", "messages", "closed", "record", "board"].map((view) => `view-${view}`));
    assert.equal(await active(), "view-queue");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await active(), "view-scoreboard");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    assert.equal(await active(), offered.at(-1), "round the end");
    await asked("feed");
    assert.equal(await active(), "view-feeds");
    assert.equal(await page.locator("[role=option][aria-selected=true]").count(), 1);
    await page.keyboard.press("Enter");
    await closed();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "feeds-title");
    await asked("no such thing");
    await id("palette").getByText("Nothing here is called “no such thing”.").waitFor();
  });

  test("finds directives, hosts and vulnerabilities where Tenon does, and opens them", async () => {
    tenon.open = [];
    await opened();
    await asked("web-2");
    assert.deepEqual(await choices(), [assets[1].id]);
    await page.keyboard.press("Enter");
    await shown(assets[1].id);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "panel-title", "reading goes on there");
    await asked("CVE-2026-9143");
    assert.deepEqual(await choices(), ["dir_2", "CVE-2026-9143"]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await shown("CVE-2026-9143");
    // What ended is found, too, and a hostile name is only text.
    await asked("curl");
    assert.deepEqual(await choices(), ["dir_6"]);
    await asked("script");
    assert.match(await id("choice").first().innerText(), new RegExp(HOSTILE.replace(/[()/]/g, "\\$&")));
    await id("choice").first().click();
    await shown("dir_4");
  });

  test("does what the open directive allows, and offers nothing else", async () => {
    await opened();
    await asked("");
    const names = () => id("choice").filter({ has: page.locator("xpath=self::*[starts-with(@data-choice,'do-')]") }).evaluateAll((all) => all.map((one) => one.firstChild.textContent));
    assert.deepEqual(await names(), ["Look back…"], "nothing is open");
    await page.keyboard.press("Escape");
    await opened("#dir_2");
    await asked("");
    assert.ok((await active()).startsWith("view-"), "nothing is approved by two keys struck by chance");
    assert.deepEqual((await names()).sort(), ["Approve", "Comment…", "Dispute…", "Give it to…", "Look back…", "Refuse…", "Take it"]);
    await asked("web-1");
    assert.ok(!(await choices()).some((one) => one.startsWith("do-")), "who looks for a host is not offered to change it");
    await asked("approve");
    const write = await wrote(() => page.keyboard.press("Enter"));
    assert.deepEqual([write.path, write.body], ["/api/v1/directives/dir_2/approve", { reports: [REHEARSAL] }]);
    // What asks for a reason asks for it where its button does.
    await asked("refuse");
    await page.keyboard.press("Enter");
    await closed();
    await page.waitForFunction(() => document.activeElement?.id === "refusal");
    await page.keyboard.type("the vendor withdrew it");
    const refused = await wrote(() => page.keyboard.press("Enter"));
    assert.deepEqual([refused.path, refused.body], ["/api/v1/directives/dir_2/refuse", { why: "the vendor withdrew it" }]);
  });

  test("steers a rollout, and offers nobody what he may not do", async () => {
    tenon.overview = rolling();
    await opened("#dir_11");
    await asked("halt");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "halt");
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    tenon.overview = overview();
    await page.goto("about:blank");
    await opened("#dir_2");
    await asked("");
    assert.equal((await choices()).filter((one) => one.startsWith("do-")).length, 1, "looking back is anybody's");
  });

  test("while one looks back it finds what was, and leads back to now", async () => {
    tenon.past[THEN] = then();
    await opened();
    await page.goto(`${tenon.address}?as_of=${THEN}`);
    await linked("paused");
    await asked("openssl");
    assert.deepEqual(await choices(), ["dir_2"]);
    assert.ok(tenon.moments.some(([path, moment]) => path === "/api/v1/assets" && moment === THEN));
    await asked("back to now");
    await page.keyboard.press("Enter");
    await linked("live");
    assert.equal(page.url(), tenon.address);
  });

  test("on a phone it fits, and what it goes to is not behind the panel", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await opened("#dir_2");
    await asked("");
    const box = await id("palette").boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y + box.height <= 844, JSON.stringify(box));
    await asked("scoreboard");
    await page.keyboard.press("Enter");
    await id("panel").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.id === "scoreboard-title");
  });
});
