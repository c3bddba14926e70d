// The whole record in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, THEN, assets, record, then } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("the record", (visit, test) => {
  const { id, linked, opened, settled } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon) tenon.log = record;
  });

  const entries = () => id("record").getByTestId("recorded-entry");
  const kinds = () => entries().evaluateAll((all) => all.map((one) => one.dataset.kind));
  const further = () => id("record").getByTestId("recorded-more").click();

  test("is read backwards as far as one looks, and each entry opens what it is about", async () => {
    await opened();
    assert.deepEqual(await kinds(), ["directive-closed", "order-issued"]);
    assert.match(await entries().first().innerText(), /refused as not worth it · ada\s*dir_1$/);
    assert.match(await entries().first().getAttribute("title"), /^entry 1,200, directive-closed, SHA-256 [0-9a-f]{64}$/);
    await further();
    await entries().nth(3).waitFor();
    await further();
    await id("record").getByTestId("recorded-more").waitFor({ state: "detached" });
    assert.equal(await entries().count(), record.length);
    assert.ok((await entries().last().innerText()).includes(HOSTILE));
    await entries().nth(1).getByTestId("entry-asset").click();
    await page.locator(`[data-panel-id=${assets[0].id}]`).waitFor();
    await entries().nth(1).getByTestId("entry-directive").click();
    await page.locator("[data-panel-id=dir_1]").waitFor();
  });

  test("is parted by what entries are, and by what they are about", async () => {
    await opened();
    await id("record-kind").selectOption("order-");
    await settled();
    assert.deepEqual(await kinds(), ["order-issued", "order-expired"]);
    await id("record-kind").selectOption("policy-");
    await id("record").getByText("Nothing of that is in the record.").waitFor();
    await id("record-kind").selectOption("");
    await id("record-find").fill(assets[0].id);
    await entries().and(page.locator("[data-kind=order-expired]")).waitFor();
    assert.deepEqual(await kinds(), ["order-issued", "order-expired"]);
    // What is no name of anything is not asked for.
    const asked = tenon.asked.length;
    await id("record-find").fill("web 1");
    await id("record").getByText("Name a directive (dir_7)").waitFor();
    await settled();
    assert.equal(tenon.asked.slice(asked).filter((path) => path === "/api/v1/log").length, 0);
  });

  test("says that there is more now, and does not move what is read until one asks", async () => {
    await opened();
    const [first] = record;
    tenon.log = [{ ...first, seq: 1203, kind: "term-began", said: "Tenon started, term 4", directive: null, by: null }, ...record];
    tenon.moved({});
    await id("record-newer").getByText("1 newer entry").waitFor();
    assert.deepEqual(await kinds(), ["directive-closed", "order-issued"]);
    await id("record-newer").click();
    await id("record").getByText("Tenon started, term 4").waitFor();
    assert.equal(await id("record-newer").count(), 0);
  });

  test("of then ends then, and of a phone fits", async () => {
    tenon.past[THEN] = then();
    await opened();
    await page.setViewportSize({ width: 360, height: 780 });
    await page.goto(`${tenon.address}?as_of=${THEN}`);
    await linked("paused");
    await id("record").getByText("Nothing of that is in the record.").waitFor();
    await id("back-to-now").click();
    await linked("live");
    await entries().first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  });

  test("which cannot be read says why", async () => {
    await opened();
    tenon.log = null;
    await id("record-kind").selectOption("order-");
    await id("record").getByText("status 500").waitFor();
  });
});
