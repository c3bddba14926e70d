// How far an attacker gets, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";

import { assets } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("how far an attacker gets", (visit, test) => {
  const { id, opened, shown } = visit;
  const row = (zone) => visit.page.locator(`[data-testid="reach-row"][data-zone="${zone}"]`);
  const drawn = (zone) => visit.page.locator(`[data-testid="reach-zone"][data-zone="${zone}"]`);

  const atReach = async () => {
    await opened();
    await visit.page.getByRole("button", { name: "Reach", exact: true }).click();
    await id("reach-map").waitFor();
  };

  test("is drawn from where attacks begin, and told in words: zones, what is not placed, and flows worth closing", async () => {
    await atReach();
    assert.deepEqual(await id("reach-row").evaluateAll((rows) => rows.map((row) => row.dataset.zone)), ["inside", "front", "internet", "lab"]);
    assert.match(await row("inside").innerText(), /an attacker is there with 0\.08 % to 0\.56 %/);
    assert.match(await row("internet").innerText(), /attacks begin here with 100 %/);
    assert.match(await row("lab").innerText(), /no way leads there/);
    assert.match(await id("reach-unplaced").innerText(), /2 assets stand in no zone: nothing is said of them/);
    assert.match(await id("choke-points").innerText(), /internet to front\s+128\.4\s+0\.0\s+2/);
    // From left to right by the steps of the likeliest way.
    const across = async (zone) => (await drawn(zone).boundingBox()).x;
    const [begins, first, second] = [await across("internet"), await across("front"), await across("inside")];
    assert.ok(begins < first && first < second, `${begins} ${first} ${second}`);
    assert.deepEqual(await id("reach-flow").evaluateAll((flows) => flows.map((flow) => flow.dataset.weight)), ["low", "low", "none"]);
  });

  test("is asked for again while it is in sight, and not for whoever looks elsewhere", async () => {
    await atReach();
    const asked = (path) => visit.tenon.asked.filter((one) => one === path).length;
    const again = async (path, change) => {
      const before = asked(path);
      visit.tenon.moved(change);
      while (asked(path) === before) await visit.page.waitForResponse(() => true);
    };
    await again("/api/v1/reach", {});
    await visit.page.getByRole("button", { name: "Queue" }).click();
    await visit.page.waitForFunction(() => document.getElementById("reach").getBoundingClientRect().top > innerHeight + 200);
    await visit.settled();
    const before = asked("/api/v1/reach");
    for (let round = 0; round < 3; round += 1) await again("/api/v1/trend", {});
    assert.equal(asked("/api/v1/reach"), before);
  });

  test("opens a zone from its row and from the picture, and leads on to what is exploited", async () => {
    await atReach();
    await row("inside").getByRole("button").first().click();
    assert.equal(await id("reach-way").locator("li").count(), 2);
    assert.match(await id("reach-way").innerText(), /one of 3 hosts like .*[\s\S]*front to inside: db-1/);
    assert.match(await id("reach-exploit").innerText(), /CVE-2026-23631 in postgresql on tcp 5432[\s\S]*1 host · delivered with 8\.8 % to 9\.3 % · works with 0\.98 %/);
    await drawn("front").click();
    assert.equal(await row("front").getByRole("button").first().getAttribute("aria-expanded"), "true");
    assert.equal(await id("reach-detail").count(), 1, "one at a time");
    await id("reach-exploit").getByRole("button").click();
    await shown("CVE-2026-5535");
  });

  test("shows which services stand where, what they need, and leads to hosts, zones and the way in", async () => {
    await atReach();
    const service = (name) => visit.page.locator(`[data-testid="service-row"][data-service="${name}"]`);
    assert.match(await drawn("front").textContent(), /shop/);
    assert.match(await drawn("inside").textContent(), /orders/);
    assert.match(await service("shop").innerText(), /shop\s+criticality high\s+in front: an attacker is there with 8\.8 %\s+3 assets\s+28\.2 points/);
    assert.match(await service("mail").innerText(), /nothing carries it/);
    assert.equal(await id("reach-need").count(), 0);
    await service("shop").getByRole("button").first().click();
    const detail = id("service-detail");
    assert.match(await detail.innerText(), /Team\s+web[\s\S]*2 open directives on its assets remove 28\.2 risk points[\s\S]*and 2 more[\s\S]*The likeliest way to it, into front/);
    assert.match(await id("service-derived").innerText(), /Of 2 of 3 assets nobody states the zone/);
    // On the map: where it stands, and what it needs elsewhere.
    assert.deepEqual(await id("reach-zone").evaluateAll((zones) => zones.filter((zone) => "carries" in zone.dataset).map((zone) => zone.dataset.zone)), ["front"]);
    assert.deepEqual(await id("reach-need").evaluateAll((needs) => needs.map((need) => need.textContent)), ["shop in front needs orders in inside"]);
    // What it needs, by its name; one at a time.
    await detail.getByRole("button", { name: "orders", exact: true }).click();
    assert.equal(await detail.count(), 1);
    assert.match(await detail.innerText(), /1 asset stands in no zone, which does not mean “not reached”[\s\S]*Needed by\s+shop/);
    assert.equal(await id("service-derived").count(), 0);
    // Its zone, and there the service again, and a host.
    await detail.getByTestId("to-zone").click();
    assert.equal(await detail.count(), 0);
    assert.match(await id("reach-detail").innerText(), /Hosts\s+inside-1\s+Services\s+orders/);
    await id("reach-detail").getByTestId("to-host").first().click();
    await shown("ast_00000000000000000000000000000001");
  });

  test("is asked for anew as if an attacker stood in a zone", async () => {
    await atReach();
    await id("reach-within").selectOption("front");
    await visit.page.waitForFunction(() => document.querySelector("#reach:not([aria-busy])") !== null);
    assert.ok(visit.tenon.within.includes("front"), visit.tenon.within.join());
  });

  test("is worked out for a directive when somebody asks, and not before", async () => {
    await opened("#dir_2");
    const asked = () => visit.tenon.asked.filter((path) => path.endsWith("/dir_2/reach")).length;
    assert.equal(asked(), 0);
    await id("ask-directive-reach").click();
    assert.match(await id("directive-reach-answer").innerText(), /it saves 98\.3 of at most 128\.4 risk points within 30 days; 30\.1 are left/);
    assert.deepEqual(await id("zone-after").evaluateAll((zones) => zones.map((zone) => zone.querySelector(".sub").innerText)), [
      "an attacker is there with 0.98 % to 0.99 %, now 8.8 % · loses at most 3.1, now 28.2",
      "an attacker is there with 0.08 % to 0.56 %, as before · loses at most 27.0, now 100.2",
    ]);
    assert.equal(asked(), 1);
  });

  test("is answered for one host, also where nothing is known", async () => {
    await opened(`#${assets[0].id}`);
    assert.match(await id("asset-reach-answer").innerText(), /A foothold on it within 30 days has a probability of 0\.08 % to 0\.65 %/);
    assert.match(await id("panel").innerText(), /told from listeners and addresses alone/);
    assert.match(await id("asset-blast").innerText(), /at most 12\.4\d* risk points are lost: 12\.1\d* in inside, where they get with 100 %; 0\.3\d* in stores, where they get with 0\.90 % to 3\.1 %\./);
    await opened(`#${assets[1].id}`);
    await visit.page.getByText("It stands in no zone").waitFor();
  });
});
