// Evidence before any change, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, REHEARSAL } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("evidence first", (visit, test) => {
  const { id, opened, wrote } = visit;
  let tenon, page, directive;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon) directive = tenon.overview.queue.find((one) => one.evidence);
  });

  test("what is sealed and what is missing is told, and leave to go on is given with a reason", async () => {
    directive.assets[0].evidence.why = `cannot be read ${HOSTILE}`;
    await opened(`#${directive.id}`);
    assert.equal(await id("preserved-host").count(), 2);
    const [missed, sealed] = [id("preserved-host").first(), id("preserved-host").nth(1)];
    assert.match(await missed.innerText(), /web-1\.example\.org missed, /);
    assert.ok((await missed.innerText()).includes(HOSTILE), "markup is text");
    assert.match(await sealed.innerText(), /c3c3c3c3c3c3, 47 KiB, gaps in logs/);
    const link = await sealed.getByRole("link", { name: "Open" }).getAttribute("href");
    assert.equal(link, `/api/v1/directives/${directive.id}/evidence/${directive.assets[1].id}`);
    await id("lacking").waitFor();

    await id("open-waive").click();
    assert.ok(await id("waive-send").isDisabled());
    await id("waive").fill("imaged, case 4711");
    const { path, body } = await wrote(() => page.keyboard.press("Enter"));
    assert.deepEqual([path, body], [`/api/v1/directives/${directive.id}/evidence-waiver`, { why: "imaged, case 4711" }]);

    const settled = directive.assets.map((asset) => ({ ...asset, evidence: { ...asset.evidence, state: "waived", document: null, gaps: [], by: "mira", why: "imaged" } }));
    const queue = tenon.overview.queue.map((one) => (one.id === directive.id ? { ...one, assets: settled, evidence: { sealed: 0, waived: 2, lacking: 0 } } : one));
    tenon.moved({ queue }, ["queue"]);
    await id("lacking").waitFor({ state: "detached" });
    assert.match(await id("preserved-host").first().innerText(), /waived by mira/);
    assert.equal(await id("open-waive").count(), 0);
    // What is waived already is asked for no more.
    const approved = await wrote(() => id("approve").click());
    assert.deepEqual(approved.body, { reports: [REHEARSAL] });
  });

  test("who may not read it gets no link, and who may not waive it no button", async () => {
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    await opened(`#${directive.id}`);
    assert.equal(await id("preserved-host").count(), 2);
    assert.equal(await id("preserved-host").getByRole("link").count(), 0);
    assert.equal(await id("open-waive").count(), 0);
  });
});
