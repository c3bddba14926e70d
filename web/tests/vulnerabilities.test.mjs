// What is open in the estate, by vulnerability, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { open as line } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("what is open", (visit, test) => {
  const { id, opened, shown } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon)
      tenon.open = [
        line("CVE-2026-1001", { exploited: true, attacked: 2, epss_ppm: 910_000, foreseen_ppm: null, cvss: "9.8", assets: 1_200, points: "4000.0" }),
        line("CVE-2026-1002", { assets: 30, not_offered: 30, no_fix: 30 }),
        line("CVE-2026-1003", { assets: 1, not_offered: 1, epss_ppm: null, foreseen_ppm: null, cvss: null, since: null }),
      ];
  });
  const row = (cve) => page.locator(`[data-testid=open-row][data-id="${cve}"]`);

  test("each says what speaks for its use, where it is, and what nothing that is offered closes", async () => {
    await opened();
    const wanted = {
      "CVE-2026-1001": [/attacked on 2 hosts, exploited somewhere \(KEV\)/, /EPSS 91 % · CVSS 9.8/, /1,200/, /4000.0/, /3 days ago/],
      "CVE-2026-1002": [/foreseen 0.0045 % · EPSS 0.12 %/, /no fix/],
      "CVE-2026-1003": [/no score loaded/, /not dated/],
    };
    for (const [cve, parts] of Object.entries(wanted)) {
      const said = await row(cve).innerText();
      for (const part of parts) assert.match(said, part);
    }
    assert.match(await page.locator("#vulnerabilities").innerText(), /3 open · 1 exploited somewhere · 2 not closed by what is offered/);
    // Three are read, and not searched.
    assert.equal(await id("find-open").count(), 0);
    await row("CVE-2026-1002").click();
    await shown("CVE-2026-1002");
    assert.equal(await row("CVE-2026-1002").getAttribute("aria-current"), "true");
  });

  test("many are searched, filtered and ordered by the server, and only those in sight are asked for", async () => {
    tenon.open = Array.from({ length: 5_000 }, (_, at) => line(`CVE-2026-${10_000 + at}`, { exploited: at % 1_000 === 0 }));
    await opened();
    await row("CVE-2026-10000").waitFor();
    assert.ok((await id("open-row").count()) < 60, "rows out of sight are not drawn");
    await id("open-only").selectOption("exploited");
    await row("CVE-2026-11000").waitFor();
    assert.equal(await id("open-row").count(), 5);
    await id("open-sort").selectOption("epss");
    await id("find-open").fill("12000");
    await row("CVE-2026-11000").waitFor({ state: "detached" });
    assert.equal(await id("open-row").count(), 1);
    const asked = new URLSearchParams(tenon.opens.at(-1));
    assert.deepEqual([asked.get("q"), asked.get("only"), asked.get("sort"), asked.get("from")], ["12000", "exploited", "epss", "0"]);
    await id("find-open").fill("nothing like that");
    await page.getByText("None of the 5,000 that are open is like that.").waitFor();
  });

  test("where nothing is open it does not say that nothing can be", async () => {
    tenon.open = [];
    await opened();
    await page.getByText("No known vulnerability is open on what is assessed.").waitFor();
  });
});
