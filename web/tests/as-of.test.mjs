// Looking back in a real browser, against a stand-in for Tenon: the record as it stood, and the hosts that are gone.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, log, overview, REHEARSAL, retired, THEN, then } from "./answers.mjs";
import { TOKEN } from "./stand-in.mjs";
import { visits } from "./visit.mjs";

visits("as of", (visit, test) => {
  const { id, linked, opened, settled } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon) tenon.past[THEN] = then();
  });

  /** The page by an address that a colleague sent. */
  const sent = async (address) => {
    await opened();
    await page.goto(`${tenon.address}${address}`);
  };
  const lookingBack = async () => {
    await id("past-mark").waitFor();
    await page.locator(".lists:not(:has([aria-busy=true]))").waitFor();
    await settled();
  };
  const rows = (of) => id(of).evaluateAll((all) => all.map((one) => one.dataset.id));
  /** A time as a browser in Berlin writes it into its own field, in winter. */
  const inBerlin = (time) => new Date(Date.parse(time) + 3_600_000).toISOString().slice(0, 19);
  /** Which questions were asked as of which moment, since there were so many of them; the record itself is asked until when. */
  const asked = (since) => tenon.moments.slice(since).filter(([path]) => !/session|events|log/.test(path));

  test("a time is chosen, and everything is of then, marked, and in the address", async () => {
    await opened();
    await id("as-of").click();
    await id("as-of-time").fill(inBerlin(THEN));
    const before = tenon.moments.length;
    await id("as-of-show").click();
    await lookingBack();
    assert.equal(page.url(), `${tenon.address}?as_of=${THEN}`);
    assert.match(await id("past-mark").innerText(), /As it stood on .*, not live\s+entry 1,000, recorded/s);
    assert.equal(await id("live-state").innerText(), "not live");
    // What it is now is asked for once, because only that tells whether hosts are invented.
    const [now, ...others] = asked(before);
    assert.deepEqual(now, ["/api/v1/overview", null]);
    assert.ok(others.length >= 7 && others.every(([, moment]) => moment === THEN), JSON.stringify(others));
    // Only what was there, due as far away as it was.
    assert.deepEqual(await rows("queue-row"), ["dir_2"]);
    assert.match(await id("queue-row").innerText(), /in 24 h/);
    assert.equal(await id("asset-row").count(), 1);
    assert.match(await id("asset-row").innerText(), /397[\s\S]*1 h ago/);
    assert.match(await id("feed-row").innerText(), /kev[\s\S]*not recorded[\s\S]*not recorded/, "how feeds were asked is in no record");
    assert.doesNotMatch(await id("feed-row").innerText(), /none/);
    // Back shows what was shown before.
    await page.goBack();
    await linked("live");
    await id("past-mark").waitFor({ state: "detached" });
    assert.equal(page.url(), tenon.address);
    assert.equal(await id("queue-row").count(), 5);
  });

  test("nothing is decided while looking back, and nothing of now comes in", async () => {
    await sent(`?as_of=${THEN}#dir_2`);
    await lookingBack();
    await page.locator("[data-panel-id=dir_2] [data-testid=not-then]").waitFor();
    await id("rehearsal-outcome").getByText("passed").waitFor();
    assert.ok(tenon.asked.includes(`/api/v1/reports/${REHEARSAL}`), "a report is named by what it holds, and never another");
    for (const action of ["approve", "refuse", "retry", "promote", "demote", "promote-first", "halt-open", "resume"]) assert.equal(await id(action).count(), 0, action);
    assert.equal(await id("no-rights").count(), 0, "it is not for want of rights");
    // The record moves on; the page does not, and hears nothing of it.
    const before = tenon.moments.length;
    tenon.moved({ queue: [], assets: [] });
    await page.evaluate(() => {
      document.dispatchEvent(new Event("visibilitychange"));
      window.dispatchEvent(new Event("online"));
      return fetch("/after");
    });
    assert.ok(tenon.asked.includes("/after"));
    assert.deepEqual(tenon.moments.slice(before), []);
    assert.deepEqual(await rows("queue-row"), ["dir_2"]);
    await id("back-to-now").click();
    await linked("live");
    assert.equal(page.url(), `${tenon.address}#dir_2`);
    await id("no-asset").waitFor();
  });

  test("what was not there then is not shown as it is now", async () => {
    await sent(`?as_of=${THEN}#dir_1`);
    await lookingBack();
    await id("panel").getByText("As it stood then: dir_1 is unknown").waitFor();
    assert.doesNotMatch(await id("panel").innerText(), /openssh/);
  });

  test("why a moment cannot be shown is told in Tenon's words, with the way on", async () => {
    await sent("?as_of=2026-10-01T06:00:00Z");
    await id("no-past").waitFor();
    assert.match(await id("past-problem").innerText(), /the record begins at 1 Nov, 07:00, after 1 Oct, 08:00: ask for that time or a later one/);
    assert.deepEqual([await id("queue-row").count(), await id("position").count()], [0, 0], "nothing of now stands under it");
    tenon.past["2026-10-01T06:00:00Z"] = then();
    await id("past-again").click();
    await lookingBack();
    assert.match(await id("past-mark").innerText(), /Thu, 1 Oct 2026, 08:00, not live/);
    await page.goto(`${tenon.address}?as_of=yesterday`);
    await id("no-past").getByText("as it stood on yesterday").waitFor();
    await id("back-to-now").click();
    await linked("live");
    assert.equal(page.url(), tenon.address);
  });

  test("while the record of then is made that is said, and nobody has to wait for it", async () => {
    await opened();
    let made;
    tenon.making = new Promise((resolve) => (made = resolve));
    await page.goto(`${tenon.address}?as_of=900`);
    await id("loading").getByText("Making the record as it stood after entry 900").waitFor();
    assert.equal(await id("queue-row").count(), 0);
    await id("back-to-now").click();
    await linked("live");
    // The stream is there before the rows that it brings news of.
    await id("queue-row").nth(4).waitFor();
    assert.equal(await id("queue-row").count(), 5);
    tenon.past["900"] = then();
    made();
    await settled();
    assert.equal(await id("past-mark").count(), 0, "what comes late is not shown");
    await page.goBack();
    await lookingBack();
    assert.match(await id("past-mark").innerText(), /after entry 900, not live/);
  });

  test("a demonstration is one while looking back", async () => {
    tenon.overview = overview({ demo: { now: THEN, pace: 60, part: 6, parts: 10, happens: "", can: [], directive: null, waits: false } });
    await sent(`?as_of=${THEN}`);
    await lookingBack();
    assert.match(await id("past-mark").innerText(), /Demonstration: As it stood/);
  });

  test("hosts that are gone are listed with who, when and why, and what came back", async () => {
    Object.assign(tenon, { retired, log });
    await opened();
    assert.equal(await id("to-retired").innerText(), "3 retired");
    await id("to-retired").click();
    assert.deepEqual(await rows("retired-row"), retired.map((asset) => asset.id));
    const said = await id("retired-row").evaluateAll((all) => all.map((one) => one.innerText.replace(/\s+/g, " ")));
    assert.match(said[0], /web-3\.example\.org group web .* ada switched off, ticket 4711$/);
    assert.match(said[1], /a new installation its machine was installed anew and is web-1/);
    assert.ok(said[2].startsWith(HOSTILE) && said[2].includes("the policy silent for as long as rule spot"), said[2]);
    // The record is long: it is looked through as far as one asks.
    const told = () => id("recorded").getByTestId("recorded-entry").evaluateAll((all) => all.map((one) => one.dataset.kind));
    await id("recorded").getByTestId("recorded-more").waitFor();
    assert.deepEqual(await told(), ["asset-retired", "asset-returned"]);
    await id("recorded").getByTestId("recorded-more").click();
    await id("recorded").getByTestId("recorded-more").waitFor({ state: "detached" });
    assert.deepEqual(await told(), ["asset-retired", "asset-returned", "asset-retired", "asset-retired"]);
    assert.match(await id("recorded").innerText(), /web-2\.example\.org was retired and reports again[\s\S]*web-2\.example\.org retired: no longer needed · bob/);
    await id("retired-row").first().click();
    await id("panel").getByText(/retired since .* by ada: switched off, ticket 4711/).waitFor();
    // One comes back while one looks.
    tenon.retired = retired.slice(1);
    tenon.log = [{ ...log[1], seq: 1205, said: "web-3.example.org was retired and reports again" }, ...log];
    tenon.moved({ assets: [...overview().assets, { ...retired[0], retired: null }] }, ["assets"]);
    await id("recorded").getByText("web-3.example.org was retired and reports again").waitFor();
    assert.deepEqual(await rows("retired-row"), retired.slice(1).map((asset) => asset.id));
    await id("to-retired").click();
    await id("asset-row").filter({ hasText: "web-3" }).waitFor();
    assert.equal(await id("to-retired").innerText(), "2 retired");
  });

  test("as of then, gone is who was gone then, and the record ends there", async () => {
    Object.assign(tenon, { retired, log });
    // Two entries of one second: the record of then ends between them.
    const { time, ...world } = then();
    const stamp = THEN;
    tenon.past[THEN] = { ...world, time: stamp, retired: [retired[2]] };
    tenon.log = [...log, { ...log[1], seq: 1001, time: stamp, said: "too late" }, { ...log[2], seq: 1000, time: stamp, said: "the last one" }];
    await sent(`?as_of=${THEN}`);
    await lookingBack();
    await id("to-retired").click();
    await id("recorded").getByText("the last one").waitFor();
    assert.deepEqual(await rows("retired-row"), [retired[2].id]);
    assert.equal(await id("recorded").getByTestId("recorded-entry").count(), 1);
  });

  test("on a phone the control, the mark and the list of those who are gone fit, and the panel says that it is of then", async () => {
    Object.assign(tenon, { retired, log });
    await page.setViewportSize({ width: 360, height: 780 });
    const fits = async () => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await opened();
    await id("as-of").click();
    await fits();
    const box = await id("as-of-form").boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360, JSON.stringify(box));
    await page.keyboard.press("Escape");
    assert.equal(await id("as-of-form").count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), "as-of");
    await id("to-retired").click();
    await id("retired-row").first().waitFor();
    await fits();
    await page.goto(`${tenon.address}?as_of=${THEN}#token=${TOKEN}`);
    await lookingBack();
    await fits();
    await id("queue-row").click();
    await id("past-tag").getByText("not live").waitFor();
  });
});
