// Views of the queue in a real browser, against a stand-in for Tenon: in the address, and under names.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { large, overview, THEN, then } from "./answers.mjs";
import { TOKEN } from "./stand-in.mjs";
import { visits } from "./visit.mjs";

visits("views", (visit, test) => {
  const { id, linked, opened, settled } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon) tenon.overview = large(30, 3);
  });

  const rows = () => id("queue-row").evaluateAll((all) => all.map((one) => one.dataset.id));
  const search = () => new URL(page.url()).search;
  /** Until the list is the answer to what is chosen, and that is in the address. */
  const until = async (searched, count) => {
    await page.waitForFunction(([searched, count]) => location.search === searched && document.querySelectorAll("[data-testid=queue-row]").length === count, [searched, count]);
    await settled();
  };
  const keep = async (name) => {
    await id("views").click();
    await id("view-name").fill(name);
    await id("view-name").press("Enter");
    await id("view").filter({ hasText: name }).waitFor();
    await page.keyboard.press("Escape");
    await id("views-box").waitFor({ state: "detached" });
  };
  const again = async (to = "") => {
    await page.goto("about:blank");
    await page.goto(`${tenon.address}${to}`);
    await linked("live");
    await page.locator(".lists:not(:has([aria-busy=true]))").waitFor();
    await settled();
  };

  test("what is chosen in the other sections stands there too, also what they do not offer", async () => {
    await opened();
    await id("score-days").selectOption("7");
    await id("record-kind").selectOption("order-");
    await page.waitForFunction(() => location.search === "?score.days=7&record.kind=order-");
    await id("record-find").fill("dir_1");
    await page.waitForFunction(() => location.search === "?score.days=7&record.kind=order-&record.about=dir_1");
    await settled();
    const seen = await id("record").innerText();
    const link = page.url().slice(tenon.address.length);
    await again("");
    assert.deepEqual([await id("score-days").inputValue(), await id("record-find").inputValue()], ["30", ""]);
    await again(link);
    assert.deepEqual([await id("score-days").inputValue(), await id("record-kind").inputValue(), await id("record-find").inputValue()], ["7", "order-", "dir_1"]);
    assert.equal(await id("record").innerText(), seen);
    // As usual is nothing to say.
    await id("score-days").selectOption("30");
    await page.waitForFunction(() => location.search === "?record.kind=order-&record.about=dir_1");
    await again("?closed.ended=exploded&assets.group=nobody");
    assert.equal(await id("asset-group-choice").inputValue(), "nobody", "what no group is called is shown as what was asked for");
  });

  test("what is chosen stands in the address, so that a link shows the same", async () => {
    await opened();
    await id("find").fill("package-000");
    await until("?q=package-000", 9);
    await id("sort").selectOption("removes");
    await until("?q=package-000&sort=removes", 9);
    await id("group").selectOption("team-1");
    await until("?q=package-000&sort=removes&group=team-1", 5);
    const seen = await rows();
    const link = page.url();
    await again("#dir_1");
    assert.equal(await id("queue-row").count(), 30, "the bare address is all of it");
    await again(link.slice(tenon.address.length));
    assert.deepEqual(await rows(), seen);
    assert.equal(await id("find").inputValue(), "package-000");
    assert.equal(await page.evaluate(() => localStorage.length), 0, "nothing is kept that nobody asked to keep");
    // Opened beside it, and closed, a directive changes nothing of that; nor does looking back.
    await id("queue-row").first().click();
    await visit.shown(seen[0]);
    await page.keyboard.press("Escape");
    assert.equal(page.url(), link);
    await id("unfilter").click();
    await until("?sort=removes", 30);
    assert.equal(await id("find").inputValue(), "");
  });

  test("a link with a view and a moment keeps both", async () => {
    tenon.past[THEN] = then();
    await opened();
    await page.goto(`${tenon.address}?as_of=${THEN}&q=openssl`);
    await linked("paused");
    await id("queue-row").waitFor();
    assert.deepEqual(await rows(), ["dir_2"]);
    await id("back-to-now").click();
    await linked("live");
    assert.equal(search(), "?q=openssl");
  });

  test("what is due within a span, and each part, is asked of Tenon", async () => {
    await opened();
    await id("due").selectOption("1d");
    // Every directive of these is due a tenth of an hour after the one before.
    await until("?due=1d", 30);
    await id("by").selectOption("group");
    await until("?due=1d&by=group", 30);
    const parts = id("part");
    assert.deepEqual((await parts.evaluateAll((all) => all.map((one) => one.dataset.part))).sort(), ["team-0", "team-1"]);
    const only = parts.first().getByTestId("part-only");
    const first = await parts.first().getAttribute("data-part");
    await only.click();
    await until(`?due=1d&by=group&group=${first}`, 15);
    assert.equal(await only.getAttribute("aria-pressed"), "true");
    await only.click();
    await until("?due=1d&by=group", 30);
    assert.ok(tenon.queries.some((query) => query.includes("due=1d") && query.includes("group_by=group")));
    await id("by").selectOption("outcome");
    await until("?due=1d&by=outcome", 30);
    await parts.first().getByTestId("part-only").click();
    await until("?due=1d&by=outcome&outcome=14+days", 30);
    await id("outcome").click();
    await until("?due=1d&by=outcome", 30);
  });

  test("a view is kept under a name, shown, called otherwise and taken away, and that is undone", async () => {
    await opened();
    await id("group").selectOption("team-1");
    await until("?group=team-1", 15);
    assert.match(await id("views").innerText(), /not kept/);
    await keep("mine");
    assert.match(await id("views").innerText(), /mine/);
    await id("unfilter").click();
    await until("", 30);
    await id("views").click();
    await id("view-show").click();
    await until("?group=team-1", 15);
    assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), "views", "the keyboard goes on there");
    await page.goBack();
    await until("", 30);
    // Still there for who comes again.
    await again("?group=team-1");
    assert.match(await id("views").innerText(), /mine/);
    await id("views").click();
    await id("view-rename").click();
    await id("view-new-name").fill("of my team");
    await id("view-new-name").press("Escape");
    assert.equal(await id("view-show").innerText(), "mine", "given up");
    await id("view-rename").click();
    await id("view-new-name").fill("of my team");
    await id("view-new-name").press("Enter");
    await id("view").getByText("of my team").waitFor();
    await id("view-delete").click();
    assert.equal(await id("view").count(), 0);
    await id("view-undo").press("Enter");
    assert.equal(await id("view-show").innerText(), "of my team");
    // The palette goes there, too.
    await page.keyboard.press("Escape");
    await id("unfilter").click();
    await until("", 30);
    await page.keyboard.press("Control+k");
    await id("palette-text").fill("of my");
    await page.keyboard.press("Enter");
    await until("?group=team-1", 15);
  });

  test("the one that is shown first is shown where the address says nothing, and only there", async () => {
    await opened();
    await id("sort").selectOption("removes");
    await until("?sort=removes", 30);
    await keep("by risk");
    await id("views").click();
    await id("view-usual").click();
    await id("view").getByText("shown first").waitFor();
    await again();
    assert.equal(search(), "?sort=removes");
    await again("?group=team-0");
    assert.equal(search(), "?group=team-0", "a colleague's link shows what he saw");
    await id("views").click();
    await id("view-usual").click();
    await again();
    assert.equal(search(), "");
  });

  test("what another program left in the browser is no view", async () => {
    await opened();
    await page.evaluate(() => localStorage.setItem("tenon-views", '{"all":[{"name":3},{"name":"<b>bold</b>","query":"group=team-1"}],"usual":"gone"}'));
    await again();
    await id("views").click();
    assert.deepEqual(await id("view-show").allInnerTexts(), ["<b>bold</b>"]);
    await page.evaluate(() => localStorage.setItem("tenon-views", "not JSON"));
    await again();
    assert.equal(await id("queue-row").count(), 30);
  });

  test("a small queue has no tools, unless a view is kept; and on a phone the menu fits", async () => {
    tenon.overview = overview();
    await opened();
    assert.equal(await id("views").count(), 0);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto("about:blank");
    await page.goto(`${tenon.address}?sort=removes&group=web#token=${TOKEN}`);
    await linked("live");
    await id("views").click();
    const box = await id("views-box").boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  });
});
