// Who does a directive, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { at } from "./answers.mjs";
import { halted, rolling } from "./rollouts.mjs";
import { visits } from "./visit.mjs";

visits("who does it", (visit, test) => {
  const { id, opened, shown, wrote } = visit;
  let tenon, page, directive, path;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (!tenon) return;
    directive = tenon.overview.queue.find((one) => one.stages["awaiting-approval"] > 0);
    path = `/api/v1/directives/${directive.id}/assign`;
  });
  const by = (person, from = person) => ({ person, by: from, since: at(-2) });
  /** The record says so now. */
  const given = (assignee, more = {}) => tenon.moved({ queue: tenon.overview.queue.map((one) => (one.id === directive.id ? { ...one, ...more, assignee } : one)) }, ["queue"]);
  const row = () => page.locator(`[data-testid=queue-row][data-id="${directive.id}"]`);

  test("it is taken and given back on one key, and told where it stands", async () => {
    await opened(`#${directive.id}`);
    assert.match(await id("assignee").innerText(), /Done by nobody/);
    const taken = await wrote(() => page.keyboard.press("t"));
    assert.deepEqual([taken.path, taken.body], [path, { to: "me" }]);
    assert.ok(taken.headers["idempotency-key"]);

    given(by(tenon.who.name));
    await id("give-back").waitFor();
    assert.equal(await id("take").count(), 0, "it is one's own");
    assert.ok((await id("assignee").innerText()).includes(`Done by ${tenon.who.name} since`));
    assert.ok((await row().innerText()).includes(`${tenon.who.name} does it`));
    assert.match(await id("given").innerText(), / takes it, /);
    const back = await wrote(() => page.keyboard.press("t"));
    assert.deepEqual(back.body, { to: null });

    // While somebody types, letters are letters; and nothing happens behind what lies over the page.
    const writes = tenon.writes.length;
    await id("open-comment").click();
    await id("note-comment").pressSequentially("tt");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await id("palette-text").pressSequentially("t");
    await page.keyboard.press("Escape");
    assert.equal(tenon.writes.length, writes);
  });

  test("it is given to somebody by name, and whoever is waited for is named", async () => {
    await opened(`#${directive.id}`);
    await id("give").click();
    await id("assign-to").fill(" otto ");
    const { path: to, body } = await wrote(() => page.keyboard.press("Enter"));
    assert.deepEqual([to, body], [path, { to: "otto" }]);
    await id("assign-to-form").waitFor({ state: "detached" });

    const owner = by("otto", "mira");
    const assets = directive.assets.map((asset) => ({ ...asset, stage: { ...asset.stage, owner } }));
    given(owner, { assets, thread: [{ at: at(-3), by: "mira", kind: "comment", text: "before" }, { at: at(-1), by: "otto", kind: "comment", text: "after" }] });
    await id("owner").first().waitFor({ state: "attached" });
    assert.match(await id("assignee").innerText(), /Done by otto since .*, given by mira/);
    const talk = await page.locator(".thread li").allInnerTexts();
    assert.equal(talk.length, 3);
    assert.ok(talk[0].includes("before") && talk[1].includes("mira gives it to otto") && talk[2].includes("after"), talk.join("|"));
    assert.ok((await id("take").count()) === 1 && (await id("give-back").count()) === 1, "whoever may approve takes it back for nobody");

    tenon.refuseNext = { status: 409, body: { code: "nothing-to-do", detail: `${directive.id} is with otto already` } };
    await id("give").click();
    await id("assign-to").fill("otto");
    await wrote(() => page.keyboard.press("Enter"));
    await id("assign-problem").waitFor();
    assert.match(await id("assign-problem").innerText(), /is with otto already/);
  });

  test("whoever is waited for to resume what is halted is named with it", async () => {
    const owner = by("otto");
    const waves = halted.rollout.waves.map((wave) => ({ ...wave, hosts: wave.hosts.map((host) => ({ ...host, owner })) }));
    const waiting = { ...halted, assignee: owner, rollout: { ...halted.rollout, waves, halt: { ...halted.rollout.halt, owner } } };
    tenon.overview = { ...rolling(), queue: rolling().queue.map((one) => (one.id === halted.id ? waiting : one)) };
    await opened(`#${halted.id}`);
    assert.match(await id("halted").innerText(), /with otto since/);
    assert.match(await id("why-not-yet").innerText(), /with otto since/);
  });

  test("the queue shows one's own, nobody's, and what each person does", async () => {
    directive.assignee = by(tenon.who.name);
    await opened("");
    await page.keyboard.press("Control+k");
    await id("palette-text").fill("my directives");
    await page.keyboard.press("Enter");
    await page.waitForURL(/assignee=me/);
    await visit.settled();
    assert.deepEqual(await id("queue-row").evaluateAll((rows) => rows.map((one) => one.dataset.id)), [directive.id]);
    await id("assignee-filter").selectOption("nobody");
    await visit.settled();
    assert.equal(await row().count(), 0);
    assert.equal(await id("queue-row").count(), tenon.overview.queue.length - 1);
    await id("by").selectOption("assignee");
    // Of so few one reads, and does not search: with the last filter its tools go.
    await id("assignee-filter").selectOption("");
    await page.locator(`[data-testid=part][data-part="${tenon.who.name}"]`).getByTestId("part-only").click();
    await page.waitForURL(new RegExp(`assignee=${tenon.who.name}`));
    await visit.settled();
    assert.equal(await id("queue-row").count(), 1);
  });

  test("who may only read sees it, and no key does anything", async () => {
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    directive.assignee = by("otto", null);
    await opened(`#${directive.id}`);
    await shown(directive.id);
    assert.match(await id("assignee").innerText(), /Done by otto since .*, as of the older version’s directive/);
    for (const name of ["take", "give", "give-back"]) assert.equal(await id(name).count(), 0);
    await page.keyboard.press("t");
    assert.equal(tenon.writes.length, 0);
  });

  test("who may discuss takes it from somebody, and gives it to nobody else", async () => {
    tenon.who = { ...tenon.who, roles: ["analyst"], rights: ["read", "discuss"] };
    directive.assignee = by("otto");
    await opened(`#${directive.id}`);
    for (const name of ["give", "give-back"]) assert.equal(await id(name).count(), 0);
    await page.keyboard.press("t");
    assert.equal(tenon.writes.length, 0, "no stray key takes it from somebody");
    assert.deepEqual((await wrote(() => id("take").click())).body, { to: "me" });
  });
});
