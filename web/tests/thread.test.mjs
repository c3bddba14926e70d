// What both teams say of a directive, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE, THEN, at } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("a thread", (visit, test) => {
  const { id, opened, shown, wrote } = visit;
  let tenon, page, directive;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon) directive = tenon.overview.queue.find((one) => one.stages["awaiting-approval"] > 0);
  });
  const said = (kind, text, by = "mira") => ({ at: at(-2), by, kind, text });
  const talk = (disputed, thread) => tenon.moved({ queue: tenon.overview.queue.map((one) => (one.id === directive.id ? { ...one, disputed, thread } : one)) }, ["queue"]);

  test("a comment is sent once, and what came of a dispute is seen by whoever may approve", async () => {
    await opened(`#${directive.id}`);
    assert.equal(await id("note").count(), 0);
    await id("open-comment").click();
    assert.equal(await id("note-comment-send").isDisabled(), true, "nothing is said without words");
    await id("note-comment").fill("the next image has it");
    const { path, body, headers } = await wrote(() => page.keyboard.press("Enter"));
    assert.deepEqual([path, body], [`/api/v1/directives/${directive.id}/notes`, { kind: "comment", text: "the next image has it" }]);
    assert.ok(headers["idempotency-key"]);
    await id("note-comment-form").waitFor({ state: "detached" });
    assert.equal(await id("approve").count(), 1);

    talk(true, [said("comment", `line one\nline two ${HOSTILE}`), said("dispute", "the module is not loaded")]);
    await id("disputed").waitFor();
    assert.equal(await id("note").count(), 2);
    assert.ok((await id("note").first().innerText()).includes(HOSTILE), "markup is text");
    assert.match(await id("note").nth(1).innerText(), /mira disputes it, /);
    assert.equal(await id("approve").count(), 0, "what is disputed cannot be approved");
    assert.match(await page.locator(".says").innerText(), /Disputed: it can be approved once somebody answers/);
    assert.match(await page.locator(`[data-id="${directive.id}"]`).first().innerText(), /disputed/);

    assert.equal(await id("open-dispute").count(), 0, "it is already");
    await id("open-answer").click();
    await id("note-answer").fill("it is, on web-1");
    const answered = await wrote(() => id("note-answer-send").click());
    assert.deepEqual(answered.body, { kind: "answer", text: "it is, on web-1" });
    talk(false, [said("dispute", "the module is not loaded"), said("answer", "it is, on web-1", "otto")]);
    await id("disputed").waitFor({ state: "detached" });
    await id("approve").waitFor();
  });

  test("who may only read reads it, and nobody writes into the past", async () => {
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    directive.thread = [said("comment", "the next image has it")];
    await opened(`#${directive.id}`);
    assert.equal(await id("note").count(), 1);
    assert.equal(await id("open-comment").count(), 0);
    assert.ok(THEN);
    await shown(directive.id);
  });
});
