// Attacks that were seen, and dismissing one, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, assets, detection } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("attacks seen", (visit, test) => {
  const { id, opened, shown, wrote } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
  });

  test("an attack stands first where it matters, tells who saw what when, and leads to host and vulnerability", async () => {
    tenon.overview.detections = [detection()];
    await opened("#CVE-2026-5535");
    const said = await id("attack").innerText();
    for (const part of ["CVE-2026-5535 on web-1.example.org: ET EXPLOIT", HOSTILE, "det_1, seen", "by suricata on fw1 (2034647)", "counts until", "10 % in zone dmz, 2 % in the rest of the estate"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    const [attacks, affected] = await Promise.all(["attacks", "affected"].map((section) => id(section).boundingBox()));
    assert.ok(attacks.y < affected.y);
    await id("attack").getByRole("button", { name: "web-1.example.org" }).click();
    await shown(assets[0].id);
  });

  test("a row of the queue says that one of its hosts is attacked", async () => {
    const [first, ...rest] = tenon.overview.queue;
    tenon.overview.queue = [{ ...first, attacks: [detection()] }, ...rest];
    await opened(`#${first.id}`);
    await page.getByText("attack seen on 1 host").waitFor();
    assert.equal(await id("attack").count(), 1, "and its panel which");
  });

  test("where nothing answers it, that is said", async () => {
    tenon.overview.detections = [detection({ directives: [] })];
    await opened("#CVE-2026-5535");
    assert.match(await id("attack").innerText(), /Nothing answers it: it is not open there, no fix is offered, or its risk is accepted/);
  });

  test("what was seen on a honeypot leads to no host, and a host taken over says so", async () => {
    tenon.overview.detections = [
      detection({ kind: "honeypot", asset: null, host: null, zone: "office", zone_ppm: 100_000, estate_ppm: 25_000 }),
      detection({ id: "det_2", kind: "incident", zone: null, zone_ppm: 0, estate_ppm: 100_000 }),
    ];
    await opened("#CVE-2026-5535");
    const [decoy, taken] = await id("attack").allInnerTexts();
    assert.match(decoy, /CVE-2026-5535 on a honeypot in zone office: ET/);
    assert.match(decoy, /likelier elsewhere: 10 % in zone office, 2\.5 % in the rest/);
    assert.match(taken, /on web-1\.example\.org, which it took over: ET/);
    assert.match(taken, /likelier elsewhere: 10 % in the rest of the estate/);
  });

  test("what was none is dismissed with a reason, and goes", async () => {
    tenon.overview.detections = [detection()];
    await opened("#CVE-2026-5535");
    await id("dismiss-detection").click();
    await id("dismiss-det_1").fill("our own scanner");
    const { path, body, headers } = await wrote(() => page.keyboard.press("Enter"));
    await id("dismiss-det_1-form").waitFor({ state: "detached" });
    assert.deepEqual([path, body], ["/api/v1/detections/det_1/dismiss", { why: "our own scanner" }]);
    assert.ok(headers["idempotency-key"]);
    tenon.moved({ detections: [] }, ["assets", "queue"]);
    await id("attack").waitFor({ state: "detached" });
    assert.equal(await id("attacks").count(), 0, "no section where there is nothing");
  });

  test("who may not assess sees it, and is not offered to dismiss it", async () => {
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    tenon.overview.detections = [detection()];
    await opened("#CVE-2026-5535");
    await id("attack").waitFor();
    assert.equal(await id("dismiss-detection").count(), 0);
  });
});
