// Writing a policy with what it would change beside it, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { HOSTILE } from "./answers.mjs";
import { visits } from "./visit.mjs";

const ruling = (assets, approval, more = {}) => ({ assets, rule: "routine", rehearsed: true, approval, not_automatic: null, opens: null, waits: null, ...more });
const effect = (more = {}) => ({
  id: "dir_1",
  title: `upgrade openssl ${HOSTILE}`,
  group: "web",
  before: [ruling(2, "1 person", { rule: null })],
  after: [ruling(2, "automatic", { opens: "2026-12-01T00:00:00Z", waits: "the window night is closed" })],
  ...more,
});

visits("policy", (visit, test) => {
  const { id, opened, settled, wrote } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
  });

  const effects = (said) => page.waitForFunction((said) => document.querySelector("[data-testid=policy-effects]:not([data-stale])")?.textContent.includes(said), said);
  const file = () => id("policy-file").inputValue();

  test("settings write a file, and what it would change stands beside it before anybody sets it", async () => {
    tenon.previews = (text) => ({ version: 0, same: false, as_of: "2026-11-30T20:00:00Z", changed: text.includes("automatic") ? 1 : 0, approved_at_once: text.includes("automatic") ? 2 : 0, directives: text.includes("automatic") ? [effect()] : [] });
    await opened();
    assert.match(await id("policy").innerText(), /Each directive is approved by one person, and begins at any time/);
    await id("try-policy").click();
    await effects("It says something else of 1 open directive");
    assert.match(await file(), /approval: automatic/);
    assert.match(await id("policy-at-once").innerText(), /on 2 assets at once/);
    const said = await id("policy-effect").innerText();
    for (const part of [HOSTILE, "dir_1, web", "1 person on 2 assets", "automatic on 2 assets", "by routine", "the window night is closed, from "]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    await id("set-routine").selectOption("2");
    await effects("Nothing that is open now");
    assert.match(await file(), /name: routine\n {4}approval: \{people: 2\}/);
    await id("set-when").selectOption("any");
    assert.equal(await id("set-from").count(), 0, "without a window there is none to say");
    assert.doesNotMatch(await file(), /windows|emergency/);
    await id("set-routine").selectOption("automatic");
    await effects("It says something else of 1 open directive");
    await id("policy-ask").click();
    assert.match(await id("policy-set").innerText(), /It counts at once as version 1, and approves the change on 2 assets at once/);
    const text = await file();
    const { path, body, headers } = await wrote(() => id("policy-send").click());
    assert.deepEqual([path, body], ["/api/v1/policy", { text, compared: 0 }]);
    assert.ok(headers["idempotency-key"]);
    await id("policy-editor").waitFor({ state: "detached" });
  });

  test("what is wrong is told by line and column, leads there, and keeps it from being set", async () => {
    tenon.checks = (text) => (text.includes("nme") ? { problems: [{ place: "line 3, column 9", reason: `there is no field nme ${HOSTILE}` }], total: 1 } : { problems: [], total: 0 });
    await opened();
    await id("try-policy").click();
    await effects("Nothing that is open now");
    const wrong = "version: 1\nrules:\n  - when: nme == 1\n";
    await id("policy-file").fill(wrong);
    await id("policy-problem").waitFor();
    assert.match(await id("policy-problems").innerText(), /1 thing is wrong[^]*line 3, column 9: there is no field nme/);
    assert.equal(await id("policy-ask").isDisabled(), true);
    assert.equal(await id("policy-file").getAttribute("aria-invalid"), "true");
    await id("policy-problem").click();
    await page.waitForFunction(() => document.activeElement?.id === "policy-file");
    assert.equal(await id("policy-file").evaluate((area) => area.selectionStart), wrong.indexOf("when") + 4, "column 9 of line 3");
    assert.match(await id("policy-editor").innerText(), /Changing one of them writes it anew/);
    await id("preset-fast").click();
    await page.getByText("The file can be set.").waitFor();
    assert.equal(await file(), "version: 1\nrules:\n  - {name: all, approval: automatic}\n");
    assert.equal(await id("policy-ask").isDisabled(), false);
  });

  test("the policy that counts is told by its rules, and who may not set one tries it all the same", async () => {
    const text = "version: 1\nrules:\n  - {name: routine, approval: automatic}\n";
    const rules = [{ name: "routine", when: 'rehearsal.undo == "proven"', approval: "automatic", windows: ["night"], tempo: "fast", why: `tried ${HOSTILE}` }];
    tenon.overview.policy = { version: 3, digest: "ab", text, rules, windows: [{ name: "night", opens: "every day from 01:00 to 05:00" }], freezes: [{ name: "year-end", from: "2026-12-18T00:00:00Z", until: "2027-01-04T06:00:00Z", when: null }] };
    tenon.who = { ...tenon.who, roles: ["operator"], rights: ["read", "operate"] };
    await opened();
    const said = await id("policy").innerText();
    for (const part of ["version 3 counts", "routine: automatic, in night, fast", 'rehearsal.undo == "proven"', `tried ${HOSTILE}`, "Window night: every day from 01:00 to 05:00", "Freeze year-end"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    await id("try-policy").click();
    await effects("This is the policy that counts");
    assert.equal(await file(), text);
    assert.equal(await id("policy-ask").count(), 0);
    assert.match(await id("policy-set").innerText(), /Only an admin can set a policy/);
    await settled();
  });

  test("which rules set due dates is told, with the regulations that were adopted and their files", async () => {
    tenon.overview.rules = { table: "bod-26-04", clocks: ["bod-26-04", "pci-dss-4.0.1"] };
    tenon.overview.regulations = [{ id: "acme-vm", version: "1", title: `ACME ${HOSTILE}`, source: "the board", effective: "2026-11-01T00:00:00Z", from: "listed", columns: ["In KEV"], rows: 2, replaces: ["pci-dss-4.0.1"], text: "id,acme-vm\n" }];
    await opened();
    const said = await id("due-dates").innerText();
    for (const part of ["CISA BOD 26-04 decides", "Clocks: CISA BOD 26-04, PCI DSS 4.0.1", `ACME ${HOSTILE}`, "acme-vm 1", "asks In KEV in 2 rows", "from when CISA lists the vulnerability", "PCI DSS 4.0.1 no longer counts besides it"]) {
      assert.ok(said.includes(part), `${part} in ${said}`);
    }
    await id("regulation").getByText("The file").click();
    await id("regulation").getByText("id,acme-vm").waitFor();
    tenon.overview.regulations = [];
    await page.reload();
    await id("due-dates").getByText("A new regulation is one reviewed file").waitFor();
    await settled();
  });
});
