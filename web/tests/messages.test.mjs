// Who is told what needs a person, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { addressee, HOSTILE, THEN, then } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("messages", (visit, test) => {
  const { id, opened } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
  });

  test("each addressee says what it is told and whether that arrives", async () => {
    tenon.messages = [
      addressee(),
      addressee({ name: "tickets", form: "cloudevents", signed: true, groups: ["web", "mail"], waiting: 12, last: null, problem: `tickets.example.org answers 503 ${HOSTILE}` }),
    ];
    await opened();
    const told = page.locator("[data-testid=addressee-row][data-name=on-call]");
    await told.waitFor();
    assert.match(await told.innerText(), /on-call[\s\S]*approval, urgent, trouble[\s\S]*Slack[\s\S]*2 h ago[\s\S]*none/);
    const stuck = await page.locator("[data-testid=addressee-row][data-name=tickets]").innerText();
    for (const part of ["urgent, trouble; work of web, mail", "CloudEvents, signed", "none so far", "12 messages", `answers 503 ${HOSTILE}`]) {
      assert.ok(stuck.includes(part), `${part} in ${stuck}`);
    }
  });

  test("where nobody is told the page says how, and of a time that is over it says nothing", async () => {
    await opened();
    await page.getByText("Nobody is told.").waitFor();
    tenon.past[THEN] = then();
    await page.goto(`${tenon.address}?as_of=${THEN}`);
    await id("past-mark").waitFor();
    await id("feed-row").waitFor();
    assert.equal(await page.locator("#messages").count(), 0);
  });
});
