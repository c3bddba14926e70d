// The page to print, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { overview, THEN, then } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("board", (visit, test) => {
  const { id, linked, opened, settled } = visit;
  let tenon, page;
  beforeEach(() => ({ tenon, page } = visit));

  const said = async (part) => (await id(`board-${part}`).innerText()).replace(/\s+/g, " ").trim();
  const shown = async () => {
    await page.locator("[data-testid=board]:not(:has([aria-busy=true]))").waitFor();
    await settled();
  };
  const day = (at, exposure, like_for_like, more = {}) => ({ day: `2026-11-${at}`, exposure, like_for_like, newly_seen: "0", got_worse: "0", got_better: "0", done: "0", refused: "0", accepted: "0", retired: "0", ...more });

  test("says in a word whether it is better, and why, what is needed, and what cannot be seen", async () => {
    await opened();
    await id("to-board").click();
    await shown();
    assert.match(page.url(), /#board$/);
    assert.match(await said("verdict"), /Worse Like for like, exposure went from 200 to 234\.5 risk points \(\+17\.3 %\)\. With hosts that are new it is 634\.5/);
    const why = await said("why");
    assert.match(why, /^Why What moved exposure \+400 newly seen .* \+60 got worse .* -25\.5 done hosts show it$/, "the largest first, and nothing that is nothing");
    const work = await said("work");
    for (const part of [/done by the due date 50\.0 % 3 of 6/, /cases overdue now 3 of 3,085 open/, /waiting for people: 98\.5 %/]) assert.match(work, part);
    const needed = await said("needed");
    assert.match(needed, /^What is needed 5 directives to do/);
    assert.ok(needed.indexOf("upgrade openssh") < needed.indexOf("upgrade openssl"), "what removes most first");
    assert.match(needed, /upgrade openssh to 1:9\.2p1-2\+deb12u6 web .* 200\.0 needs a person/);
    assert.match(await said("unseen"), /1 of 3 assets is not wholly known: what is not seen there is in no figure above\. Of 3 feeds 1 did not come: osv Debian:12 Debian:13\./);
    // Back to the work, and to it from there by the keyboard.
    await id("leave-board").click();
    await id("queue-row").first().waitFor();
    await page.keyboard.press("Control+k");
    await id("palette-text").fill("board");
    await page.keyboard.press("Enter");
    await shown();
    await page.getByRole("button", { name: "Scoreboard", exact: true }).click();
    await page.waitForFunction(() => document.activeElement?.id === "scoreboard-title");
    assert.equal(await id("board").count(), 0);
  });

  test("calls better what is, no matter how many hosts enrol, and does not judge what is too young", async () => {
    tenon.trend = { generation: 1, days: [day(28, "100.0", "100.0"), day(29, "900.0", "60.0", { newly_seen: "840", done: "40" })] };
    await opened();
    await page.goto(`${tenon.address}#board`);
    await shown();
    assert.match(await said("verdict"), /Better .* from 100 to 60 risk points \(-40 %\)\. With hosts that are new it is 900/);
    tenon.trend = { generation: 1, days: [day(28, "100.0", "100.0"), day(29, "100.4", "100.4", { got_worse: "0.4" })] };
    tenon.moved({}, ["queue"]);
    await id("board-verdict").getByText("As before", { exact: true }).waitFor();
    // Nothing known is not nothing there: it is compared with the first day that says something.
    tenon.trend = { generation: 1, days: [day(26, "0.0", "0.0"), day(27, "0.0", "0.0"), day(28, "500.0", "500.0"), day(29, "450.0", "450.0")] };
    tenon.moved({}, ["queue"]);
    await id("board-verdict").getByText("the first day of which anything is known").waitFor();
    assert.match(await said("verdict"), /from 500 to 450 risk points since 2026-11-28, the first day of which anything is known \(-10 %\)/);
    tenon.trend = { generation: 1, days: [day(28, "0.0", "0.0"), day(29, "100.0", "100.0")] };
    tenon.moved({}, ["queue"]);
    await id("board-verdict").getByText("Too early to say").waitFor();
  });

  test("is one sheet of paper, with nothing on it that can only be pressed, in light", async () => {
    tenon.overview = overview();
    await page.emulateMedia({ colorScheme: "dark" });
    await opened();
    await page.goto(`${tenon.address}#board`);
    await shown();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.equal(await page.locator("button:visible, a:visible").count(), 0);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    const paper = await page.pdf({ preferCSSPageSize: true });
    assert.equal(paper.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length, 1);
  });

  test("of then is told of then, and says so on the sheet", async () => {
    tenon.past[THEN] = then();
    await opened();
    await page.goto(`${tenon.address}?as_of=${THEN}#board`);
    await linked("paused");
    await shown();
    assert.match(await id("board").locator(".sub").first().innerText(), /1 asset, entry 1,000 of the record/);
    assert.match(await said("needed"), /1 directive to do/);
    assert.ok(tenon.moments.some(([path, moment]) => path === "/api/v1/gaps" && moment === THEN));
  });

  test("on a phone nothing is wider than the screen", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await opened();
    await page.goto(`${tenon.address}#board`);
    await shown();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  });
});
