// Accepting a risk, and taking that back, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, THEN, assets, exception, then } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("accepted risks", (visit, test) => {
  const { id, linked, opened, shown, wrote } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
  });

  const opened5535 = () => opened("#CVE-2026-5535");

  test("a risk is accepted for a group until a day, with what stands against it and why", async () => {
    await opened5535();
    assert.equal(await id("exception").count(), 0);
    await id("accept-risk").click();
    assert.equal(await id("accept-group").evaluate((select) => select === document.activeElement), true);
    assert.equal(await id("accept-send").isDisabled(), true, "nothing is sent without reasons");
    await id("accept-group").selectOption("data");
    const until = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10);
    await id("accept-until").fill(until);
    await id("accept-control").fill("no route from outside");
    await id("accept-why").fill("rebuilt in January");
    // What the server says is wrong stands beside the form, and nothing typed is lost.
    tenon.refuseNext = { status: 422, body: { code: "bad-content", detail: "an exception ends within 366 days" } };
    await id("accept-send").click();
    await page.getByText("an exception ends within 366 days").waitFor();
    assert.equal(await id("accept-control").inputValue(), "no route from outside");
    await id("accept-send").click();
    await id("accept-form").waitFor({ state: "detached" });
    const { path, body, headers } = tenon.writes.at(-1);
    assert.equal(path, "/api/v1/exceptions");
    assert.deepEqual(body, { vulnerability: "CVE-2026-5535", group: "data", until, control: "no route from outside", why: "rebuilt in January" });
    assert.ok(headers["idempotency-key"]);
  });

  test("one that stands tells who, until when and what, and is taken back with a reason", async () => {
    tenon.overview.exceptions = [exception()];
    await opened5535();
    const said = await id("exception").innerText();
    for (const part of ["exc_1", "head of shop answers for it", `Against it: the WAF drops it ${HOSTILE}`, "the vendor certifies", `21 assets: web-1.example.org, ${HOSTILE} and 19 more`, "granted by ada"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    assert.match(await id("affected").innerText(), /On 21 more assets its risk is accepted: it is there, and nobody is asked to close it/);
    await id("end-exception").click();
    await id("end-exc_1").fill("the WAF rule is gone");
    const { path, body } = await wrote(() => page.keyboard.press("Enter"));
    await id("end-exc_1-form").waitFor({ state: "detached" });
    tenon.moved({ exceptions: [] }, ["assets", "queue"]);
    await id("exception").waitFor({ state: "detached" });
    assert.deepEqual([path, body], ["/api/v1/exceptions/exc_1/end", { why: "the WAF rule is gone" }]);
  });

  test("all that is accepted stands in one list, which opens each, and is not there where nothing is", async () => {
    await opened();
    assert.equal(await id("accepted-risks").count(), 0);
    tenon.moved({ exceptions: [exception(), exception({ id: "exc_2", vulnerability: "CVE-2025-0001", owner: HOSTILE, assets: 1 })] });
    await id("accepted-risks").waitFor();
    assert.equal(await id("accepted-row").count(), 2);
    const said = await id("accepted-risks").innerText();
    for (const part of ["2 exceptions", "CVE-2026-5535", "on 21 assets", "head of shop", `the WAF drops it ${HOSTILE}`, "CVE-2025-0001", "on 1 asset"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    await id("accepted-row").first().click();
    await shown("CVE-2026-5535");
    tenon.moved({ exceptions: [] });
    await id("accepted-risks").waitFor({ state: "detached" });
  });

  test("who may not decide reads it, and so does who looks back", async () => {
    tenon.overview.exceptions = [exception()];
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    await opened5535();
    assert.equal(await id("exception").count(), 1);
    assert.equal(await id("accept-risk").count() + (await id("end-exception").count()), 0);
    tenon.who = { ...tenon.who, roles: ["admin"], rights: ["read", "approve"] };
    tenon.past[THEN] = { ...then(), exceptions: [exception()] };
    await page.goto(`${tenon.address}?as_of=${THEN}#CVE-2026-5535`);
    await linked("paused");
    await shown("CVE-2026-5535");
    assert.equal(await id("accept-risk").count() + (await id("end-exception").count()), 0);
  });

  test("on a host an accepted finding stands apart from what is open and what is not affected", async () => {
    await opened(`#${assets[0].id}`);
    const said = await id("accepted").innerText();
    for (const part of ["CVE-2026-7070", "in nginx 1.22.1-9", `the WAF drops it ${HOSTILE}`, "exc_1 until", "head of shop answers for it"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    await id("accepted").getByRole("button").click();
    await shown("CVE-2026-7070");
  });
});
