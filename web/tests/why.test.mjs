// Why a priority is what it is, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { assets, HOSTILE, why } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("why", (visit, test) => {
  const { id, opened, settled } = visit;
  let page;
  beforeEach(() => ({ page } = visit));

  const said = async (locator) => (await locator.innerText()).replace(/\s+/g, " ").trim();
  /** Where a bar ends, in parts of its track. */
  const bars = (of) => of.locator(".track.lined").evaluateAll((all) => all.map((track) => {
    const [whole, last] = [track.getBoundingClientRect(), track.lastElementChild.getBoundingClientRect()];
    return [last.className, (last.left - whole.left) / whole.width, (last.right - whole.left) / whole.width];
  }));

  test("each factor says what it takes away, by which facts, and the bars say the same", async () => {
    await opened("#dir_1");
    const [largest, second] = [id("loss").first(), id("loss").nth(1)];
    assert.equal(await largest.getAttribute("open"), "", "the largest loss is drawn at once");
    assert.equal(await second.getAttribute("open"), null);
    assert.match(await said(largest.getByTestId("step-threat")), /× threat 100 % leaves 100 takes nothing away exploited somewhere: listed in KEV \(kev, as of /);
    assert.match(await said(largest.getByTestId("step-impact")), /× impact 75 % leaves 75 takes away 25 of 100 human impact high/);
    await second.locator("summary").click();
    const reach = await said(second.getByTestId("step-reach"));
    assert.match(reach, /× reach 20 % leaves 1\.05 takes away 4\.18 of 5\.23/);
    // All that reach is made of, however many there are.
    for (const { fact } of why.factors[1].because.slice(1, -1)) assert.ok(reach.includes(fact), `${fact} in ${reach}`);
    assert.ok(reach.includes(HOSTILE));
    assert.ok(!reach.includes("human impact"), "that is of impact");
    assert.match(await said(second.getByTestId("step-assets")), /× assets 2 leaves 1\.57 the same on 2 assets: adds 0\.785/);
    // 100 to 1.5 on a scale of tenths: from what was, down to what is left.
    const drawn = (await bars(second)).map(([, from, to]) => [from, to].map((at) => Math.round(at * 100)));
    const scale = (points) => Math.round(((Math.log10(points) + 1) / 3) * 100);
    assert.deepEqual(drawn, [[0, 100], [scale(5.23), 100], [scale(1.046), scale(5.23)], [scale(0.7845), scale(1.046)], [scale(0.7845), scale(1.569)], [0, scale(1.5)]]);
  });

  test("what moved it is told entry by entry, the last first", async () => {
    await opened("#dir_1");
    const told = await Promise.all([0, 1, 2].map((at) => said(id("move").nth(at))));
    assert.match(told[0], /^49\.8 → 151\.5 KEV: 1 vulnerability changed .*, entry 118$/);
    assert.ok(told[0].includes(HOSTILE));
    assert.match(told[1], /^41\.2 → 49\.8 EPSS v2026\.06\.15: 300,000 scores .*, entry 112$/);
    assert.match(told[2], /^raised with 41\.2 feed debian/);
    // As it was raised, there is nothing to tell.
    visit.tenon.moves = { generation: 7, items: [{ seq: 7, time: "2026-06-15T12:00:00Z", said: "feed debian", before: null, points: "1" }], more: false };
    await page.reload();
    await id("loss").first().waitFor();
    await settled();
    assert.equal(await id("moves").count(), 0);
  });

  test("the row that decided is lit beside what one other input would lead to, and the table can be seen whole", async () => {
    await opened("#dir_1");
    const table = id("decision-table");
    const lit = await said(id("decided-row"));
    assert.match(lit, /12 decides yes yes no , assumed total 3 days & forensic investigation/);
    assert.equal(await id("other-row").count(), 4, "one for each input");
    const others = await Promise.all([0, 1, 2, 3].map((at) => said(id("other-row").nth(at))));
    assert.deepEqual(others.map((row) => row.match(/^\d+/)[0]), ["9", "8", "15", "5"]);
    assert.match(others[1], /^8 yes no instead of yes no total 14 days$/);
    assert.match(await said(table.locator("thead")), /Automatable assumed/);
    await id("whole-table").click();
    assert.equal(await table.locator("tbody tr").count(), 16);
    assert.equal(await table.locator("tr[aria-current]").count(), 1);
    await id("whole-table").press("Enter");
    assert.equal(await table.locator("tbody tr").count(), 5);
    // Of one that was decided before inputs were recorded there is no row to show.
    await opened("#dir_2");
    assert.equal(await table.count(), 0);
  });

  test("all clocks stand on one line of time with today on it, and the one that counts is named", async () => {
    await opened("#dir_1");
    const clocks = await Promise.all([0, 1].map((at) => said(id("clock").nth(at))));
    assert.match(clocks[0], /^counts: due .*, overdue by 3 h, by cisa-bod-26-04 1\.0\.0 row 12 .* since .*, for CVE-2026-10387$/);
    assert.match(clocks[1], /^due .*, in 2[67] days, by fedramp-rev5/);
    const places = (of) => id("clocks").locator(of).evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
    const [first, second] = await places(".due-mark");
    const today = await places(".today");
    assert.equal(today[0], today[1], "one line of time");
    assert.ok(first < today[0] && today[0] < second, "one is past, the other is not");
    const word = await page.locator(".today-word").boundingBox();
    assert.ok(word.height < 20, "the word stands on one line");
    // What was set is not moved later: it stands first.
    visit.tenon.overview = { ...visit.tenon.overview, queue: visit.tenon.overview.queue.map((one) => (one.id === "dir_3" ? { ...one, clocks: [{ rule: "fedramp-rev5 rev5", row: 1, outcome: "30 days", vulnerability: "CVE-2026-7347", since: one.raised, due: "2099-01-01T00:00:00Z" }] } : one)) };
    await opened("#dir_3");
    assert.match(await said(id("clocks")), /^counts: due .*: set earlier, and not moved later due .*2099/);
  });

  test("a finding on a host is explained where it stands, and by the keyboard", async () => {
    await opened(`#${assets[0].id}`);
    const [ask] = await id("finding-why").all();
    const before = visit.tenon.asked.length;
    await ask.press("Enter");
    const here = id("explained-here");
    await here.getByTestId("decided-row").waitFor();
    await settled();
    assert.ok(visit.tenon.asked.slice(before).includes(`/api/v1/assets/${assets[0].id}/vulnerabilities/CVE-2026-5535/why`));
    assert.match(await said(here), /^dir_2 closes it here, due .*row 7 decides for CVE-2026-5535: 14 days/);
    assert.equal(await here.getByTestId("step-assets").count(), 0, "it is one asset");
    await ask.press("Enter");
    await here.waitFor({ state: "detached" });
  });

  test("on a phone the whole of it is in sight without moving sideways", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await opened("#dir_1");
    await id("loss").nth(1).locator("summary").click();
    assert.equal(await page.locator(".panel-body").evaluate((body) => body.scrollWidth - body.clientWidth), 0);
    assert.equal(await page.locator(".decision-table").evaluate((box) => box.scrollWidth - box.clientWidth), 0);
  });
});
