// Recording what stands against attacks, and ending it, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, control, why } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("controls", (visit, test) => {
  const { id, opened, wrote } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
  });

  test("a control is recorded for a group until a day, with how much it lets through", async () => {
    await opened("#CVE-2026-5535");
    assert.equal(await id("control").count(), 0);
    await id("record-control").click();
    await page.waitForFunction(() => document.activeElement?.dataset.testid === "control-kind");
    assert.equal(await id("control-send").isDisabled(), true, "nothing is sent without saying what it is");
    await id("control-kind").selectOption("ips-rule");
    await id("control-group").selectOption("data");
    await id("control-what").fill("signature 7, tried with the public exploit");
    await id("control-leaves").fill("0");
    assert.equal(await id("control-send").isDisabled(), true, "nothing keeps everybody out");
    await id("control-leaves").fill("12.5");
    const until = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10);
    await id("control-until").fill(until);
    // What the server says is wrong stands beside the form, and nothing typed is lost.
    tenon.refuseNext = { status: 422, body: { code: "bad-content", detail: "a control counts within 366 days" } };
    await id("control-send").click();
    await page.getByText("a control counts within 366 days").waitFor();
    assert.equal(await id("control-what").inputValue(), "signature 7, tried with the public exploit");
    await id("control-send").click();
    await id("control-form").waitFor({ state: "detached" });
    const { path, body, headers } = tenon.writes.at(-1);
    assert.equal(path, "/api/v1/controls");
    assert.deepEqual(body, { kind: "ips-rule", group: "data", until, what: "signature 7, tried with the public exploit", vulnerabilities: ["CVE-2026-5535"], leaves_ppm: 125_000 });
    assert.ok(headers["idempotency-key"]);
  });

  test("one that stands tells against what, how much, until when and who, and is ended with a reason", async () => {
    tenon.overview.controls = [control()];
    await opened("#CVE-2026-5535");
    const said = await id("controls-against").innerText();
    for (const part of ["WAF rule against CVE-2026-5535: lets 12.5 % through", `rule 941 drops it ${HOSTILE}`, "ctl_1 until", "head of shop answers for it", "recorded by ada", "less likely there, and still to be done"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    const here = page.locator("#panel, .panel").first();
    await here.getByTestId("end-control").click();
    await id("end-ctl_1").fill("the WAF is gone");
    const { path, body } = await wrote(() => page.keyboard.press("Enter"));
    assert.deepEqual([path, body], ["/api/v1/controls/ctl_1/end", { why: "the WAF is gone" }]);
    tenon.moved({ controls: [] }, ["assets", "queue"]);
    await page.waitForFunction(() => !document.querySelector("[data-testid=control]"));
  });

  test("all that stand are one list, by way of attack where nothing is named, and nobody ends one without the right", async () => {
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    await opened();
    assert.equal(await id("controls").count(), 0);
    tenon.moved({ controls: [control({ id: "ctl_2", kind: "segmentation", vulnerabilities: [], vectors: ["network", "adjacent"] }), control()] });
    await id("controls").waitFor();
    const said = await id("controls").innerText();
    assert.match(said, /2 controls/);
    assert.match(said, /Segmentation against network, adjacent attacks: lets 12.5 % through/);
    assert.equal(await id("end-control").count(), 0);
  });

  test("the product of a loss shows what a control leaves of it", async () => {
    const [first, ...rest] = why.factors;
    tenon.why = { ...why, factors: [{ ...first, controls_ppm: 100_000, control: { fact: "a control (waf-rule) lets 10.00% of attacks through", source: "head of shop, ctl_1", as_of: null }, points: "15.0" }, ...rest] };
    await opened("#dir_1");
    await id("step-controls").first().waitFor();
    const step = await id("step-controls").first().innerText();
    assert.match(step, /× controls 10 %/);
    assert.match(step, /takes away 135 of 150|takes away .* of /);
    assert.match(step, /head of shop, ctl_1/);
    assert.match(await id("factors").innerText(), /threat × reach × impact × controls × assets/);
  });
});
