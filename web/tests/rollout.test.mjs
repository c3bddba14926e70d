// The rollout of a directive in a real browser.
import assert from "node:assert/strict";

import { halted, rolling, running } from "./rollouts.mjs";
import { visits } from "./visit.mjs";

visits("rollout", (visit, test) => {
  const { id, opened, wrote } = visit;
  const shown = async (hash, world = rolling()) => {
    visit.tenon.overview = world;
    await opened(hash);
    await id("rollout").waitFor();
  };
  const text = async (name) => (await id(name).innerText()).replace(/\s+/g, " ");
  const lanes = () => id("wave").evaluateAll((all) => all.map((lane) => lane.dataset.state));
  const gates = () => id("gate").evaluateAll((all) => all.map((gate) => gate.dataset.gate));
  const stages = () => id("cell").evaluateAll((all) => all.map((cell) => cell.dataset.stage));
  const focused = () => visit.page.evaluate(() => document.activeElement?.getAttribute("aria-label"));

  test("waves are lanes, hosts are cells, and what stands between two waves is said with its value", async () => {
    await shown("#dir_11");
    assert.equal(await text("rollout-state"), "under way");
    assert.equal(await text("rollout-done"), "2 of 40");
    assert.deepEqual(await lanes(), ["ended", "running", "waiting"]);
    assert.deepEqual(await gates(), ["passed", "waits", "waits"]);
    assert.match((await id("gate").nth(1).innerText()).replace(/\s+/g, " "), /1 of 3 hosts heard from · 0 failed, at most 0 may · then 30 min of watching/);
    assert.deepEqual((await stages()).slice(0, 5), ["verified", "applying", "applied", "verified", "approved"]);
    // A shape for each state, not only a colour.
    const shapes = await id("cell").evaluateAll((all) => new Map(all.map((cell) => [cell.dataset.stage, cell.querySelector("svg").innerHTML])).values().toArray());
    assert.equal(new Set(shapes).size, 4, "verified, applying, applied and approved look different");
    assert.match(await text("waits"), /2 hosts of wave 2 to show the fix; without word from them it halts in 23 h/);
  });

  test("every host that is not done says why not", async () => {
    await shown("#dir_13");
    const why = await text("why-not-yet");
    for (const said of [/8 hosts shop-43/, /2 hosts shop-51/, /redundancy group db-main needs 2 of its 2 members/, /the end of watching wave 1, at 25 Nov, 09:00/]) assert.match(why, said);
    assert.match(await id("held-back").innerText(), /state a smaller minimum/);
    assert.match(await text("waits"), /Wave 1 is watched for 1\d min more, until .* Then wave 2 begins/);
  });

  test("one that stopped says who, why, and that it cannot be done in time", async () => {
    await shown("#dir_12");
    assert.match(await text("halted"), /Halted by itself, 12 min ago 1 of 1 assets of the wave failed/);
    assert.deepEqual(await gates(), ["closed", "waits"]);
    assert.match(await text("too-slow"), /cannot be done in time/);
    assert.equal(await id("halt-open").count(), 0, "what is halted is not halted again");
    assert.match(await id("panel").innerText(), /the rest waits until a person resumes it/);
  });

  test("halting needs a reason, and Escape gives it up", async () => {
    await shown("#dir_11");
    await id("halt-open").click();
    assert.ok(await id("halt-send").isDisabled());
    await visit.page.keyboard.press("Enter");
    assert.equal(visit.tenon.writes.length, 0);
    await visit.page.keyboard.press("Escape");
    await id("halt-form").waitFor({ state: "detached" });
    await id("halt-open").click();
    await id("halt").fill("the shop sells tickets tonight");
    const write = await wrote(() => visit.page.keyboard.press("Enter"));
    assert.deepEqual([write.path, write.body], ["/api/v1/directives/dir_11/halt", { why: "the shop sells tickets tonight" }]);
    await id("halt-form").waitFor({ state: "detached" });
  });

  test("resuming is one step, and what Tenon refuses is said", async () => {
    await shown("#dir_12");
    visit.tenon.refuseNext = { status: 409, body: { code: "not-halted", detail: "dir_12 is not halted" } };
    await id("resume").click();
    await id("rollout-problem").getByText("dir_12 is not halted").waitFor();
    const write = await wrote(() => id("resume").click());
    assert.deepEqual([write.path, write.body], ["/api/v1/directives/dir_12/resume", {}]);
  });

  test("who may only look can stop nothing", async () => {
    visit.tenon.who = { ...visit.tenon.who, roles: ["viewer"], rights: ["read"] };
    await shown("#dir_12");
    assert.equal(await id("resume").count(), 0);
    assert.equal(await id("cell").count(), 12);
  });

  test("a cell opens its host, and there is a way back", async () => {
    await shown("#dir_12");
    await id("cell").first().click();
    await visit.page.locator("[data-panel-id=ast_00000000000000000000000000000101] [data-testid=finding]").first().waitFor();
    assert.match(await id("panel").innerText(), /shop-01\.example\.org/);
    await id("back").click();
    await visit.page.locator("[data-panel-id=dir_12] [data-testid=rollout]").waitFor();
    assert.equal(await id("back").count(), 0);
  });

  test("the keyboard walks the cells, and each has a name", async () => {
    await shown("#dir_11");
    assert.equal(await visit.page.locator(".host-cell[tabindex='0']").count(), 1, "one stop of the Tab key");
    await visit.page.locator(".host-cell[tabindex='0']").focus();
    assert.equal(await focused(), "shop-02.example.org, applying: it has its order; the host's report is awaited");
    assert.match(await text("seen"), /^shop-02\.example\.org applying/);
    await visit.page.keyboard.press("ArrowRight");
    assert.match(await focused(), /^shop-03\.example\.org, applied/);
    await visit.page.keyboard.press("ArrowDown");
    assert.match(await focused(), /^shop-06\.example\.org, approved: it is in wave 3 of 3/);
    await visit.page.keyboard.press("Home");
    assert.equal(await focused(), "shop-01.example.org, verified");
    await visit.page.keyboard.press("Enter");
    await visit.page.locator("[data-panel-id=ast_00000000000000000000000000000101]").waitFor();
    await visit.page.goBack();
    await id("rollout").getByRole("list", { name: "Wave 2, canary, under way: 1 of 3 hosts done" }).waitFor();
  });

  test("it moves on by itself, and the cell that had the focus keeps it", async () => {
    await shown("#dir_11");
    await id("cell").nth(3).focus();
    const [first, second, third] = running.rollout.waves;
    const done = second.hosts.map((host) => ({ ...host, stage: "verified", why_not_yet: null }));
    const moved = { ...running, stages: { verified: 4, approved: 36 }, rollout: { ...running.rollout, state: "watched", waits: "the end of watching wave 2", until: new Date(Date.now() + 1_800_000).toISOString(), waves: [first, { ...second, state: "watched", done: 3, hosts: done }, third] } };
    visit.tenon.moved({ queue: [moved, halted] }, ["queue"]);
    await id("rollout-state").getByText("being watched").waitFor();
    assert.deepEqual(await lanes(), ["ended", "watched", "waiting"]);
    assert.equal(await text("rollout-done"), "4 of 40");
    assert.match(await focused(), /^shop-04\.example\.org, verified/);
  });

  test("one that is over can neither be halted nor resumed", async () => {
    await shown("#dir_14");
    assert.equal(await text("rollout-state"), "done");
    assert.deepEqual(await gates(), ["passed", "passed"]);
    assert.equal((await id("halt-open").count()) + (await id("resume").count()) + (await id("why-not-yet").count()), 0);
  });
});
