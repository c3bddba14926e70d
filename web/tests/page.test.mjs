// The built page in a real browser, against a stand-in for Tenon. Run `npm run build` first.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { DEMO, HOSTILE, large, overview, REHEARSAL } from "./answers.mjs";
import { TOKEN } from "./stand-in.mjs";
import { visits } from "./visit.mjs";

visits("page", (visit, test) => {
  const { id, linked, opened, settled, wrote } = visit;
  let tenon, page;
  beforeEach(() => ({ tenon, page } = visit));

  const row = (directive) => page.locator(`[data-testid=queue-row][data-id=${directive}]`);
  /** Opens a directive, and waits for what the panel says of it. */
  const show = async (directive) => {
    await row(directive).click();
    await page.locator(`[data-panel-id=${directive}]:not(:has([aria-busy=true]))`).waitFor();
  };

  test("the queue stands in Tenon's order, and a hostile name is only text", async () => {
    await opened();
    const rows = id("queue-row");
    assert.deepEqual(await rows.evaluateAll((all) => all.map((one) => one.dataset.id)), ["dir_1", "dir_2", "dir_3", "dir_4", "dir_5"]);
    const first = await rows.first().innerText();
    for (const said of [/upgrade openssh to 1:9\.2p1-2\+deb12u6/, /overdue by 3 h/, /3 days & forensic investigation/, /200\.0/, /needs a person/]) {
      assert.match(first, said);
    }
    assert.match(await row("dir_4").innerText(), new RegExp(HOSTILE.replace(/[()/]/g, "\\$&")));
    assert.doesNotMatch(await row("dir_3").innerText(), /closes/, "an update that no advisory explains closes nothing that is published");
    await show("dir_4");
    await page.locator("[data-panel-id=dir_4] [data-testid=decision]").waitFor();
    assert.ok((await id("panel").innerText()).includes(HOSTILE));
    assert.equal(await page.locator("img, #root script").count(), 0);
  });

  test("a decision shows its inputs, its clocks, its factors and what would change it", async () => {
    await opened();
    await show("dir_1");
    const inputs = await id("inputs").innerText();
    for (const said of [/Publicly Exposed/, /the asset's context/, /assumed: automatable/]) assert.match(inputs, said);
    assert.match(await id("clocks").innerText(), /fedramp-rev5 rev5 row 1/);
    const factors = await id("factors").innerText();
    for (const said of [/200\.0 risk points/, /5\.23 % × 20 % × 75 %/, /on 2 assets/]) assert.match(factors, said);
    const flips = await id("flips").innerText();
    assert.match(flips, /14 days if Publicly Exposed of the assets were no, not yes/);
    // Vulnerabilities that change alike are told at once, and of many the first.
    const alike = "CVE-2026-1, CVE-2026-2, CVE-2026-3, CVE-2026-4 and 2 more were active, not none or public poc";
    assert.ok(flips.includes(`3 days if Exploitation of ${alike} and Automatable of CVE-2026-1 were yes, not no`), flips);
    // Of one that was decided before inputs were recorded, what it assumed is still said.
    await show("dir_2");
    assert.match(await id("panel").innerText(), /not publicly exposed: no owner confirmed exposure/);
  });

  test("the token leaves the address bar for a session that no script can read, and approving uses that", async () => {
    await opened();
    assert.equal(page.url(), tenon.address);
    await show("dir_2");
    const write = await wrote(() => id("approve").click());
    assert.equal(write.path, "/api/v1/directives/dir_2/approve");
    assert.equal(write.headers.authorization, undefined);
    assert.match(write.headers.cookie, /tenon_session=/);
    assert.equal(write.headers["x-tenon-request"], "page", "what no page elsewhere can send");
    const found = await page.evaluate(() => [document.cookie, sessionStorage.length, localStorage.length]);
    assert.deepEqual(found, ["", 0, 0]);
    assert.match(write.headers["idempotency-key"], /^[!-~]{1,200}$/);
    assert.deepEqual(write.body, { reports: [REHEARSAL] }, "what is on the screen is approved, and nothing that came since");
    assert.equal(tenon.writes.length, 1);
    await page.reload();
    await linked("live");
    assert.equal(await id("rights").innerText(), "ada (admin)");
  });

  test("a row with forensics asks for a waiver before it approves", async () => {
    await opened();
    await show("dir_1");
    await id("approve").click();
    assert.equal(tenon.writes.length, 0);
    assert.ok(await id("waiver-send").isDisabled());
    await id("waiver").fill("the memory image was taken by hand");
    const write = await wrote(() => page.keyboard.press("Enter"));
    assert.equal(write.path, "/api/v1/directives/dir_1/approve");
    assert.deepEqual(write.body, { reports: [REHEARSAL], waive_evidence: "the memory image was taken by hand" });
  });

  test("refuse asks why, retry names the asset, promote names the group", async () => {
    await opened();
    await show("dir_3");
    const retried = await wrote(() => id("retry").click());
    assert.deepEqual([retried.path, retried.body], ["/api/v1/directives/dir_3/retry", { asset: overview().assets[0].id }]);
    await show("dir_2");
    await id("refuse").click();
    await id("refusal").fill("the vendor withdrew it");
    const refused = await wrote(() => id("refusal-send").click());
    assert.deepEqual([refused.path, refused.body], ["/api/v1/directives/dir_2/refuse", { why: "the vendor withdrew it" }]);
    const promoted = await wrote(() => id("promote").click());
    assert.equal(promoted.path, "/api/v1/groups/data/promote");
    const demoted = await wrote(() => id("demote").click());
    assert.equal(demoted.path, "/api/v1/groups/web/demote");
    assert.equal(new Set(tenon.writes.map((write) => write.headers["idempotency-key"])).size, 4);
  });

  test("a refusal by Tenon is shown in its words", async () => {
    await opened();
    await show("dir_2");
    tenon.refuseNext = { status: 409, body: { code: "nothing-to-approve", detail: "dir_2 has no asset with a passed rehearsal" } };
    await id("approve").click();
    await id("problem").getByText("dir_2 has no asset with a passed rehearsal").waitFor();
  });

  test("a decision that got no answer is repeated under the same key", async () => {
    await opened();
    await show("dir_2");
    const keys = [];
    let lost = true;
    await page.route("**/approve", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      if (lost) await route.abort("connectionreset");
      else await route.continue();
      lost = false;
    });
    await id("approve").click();
    await id("problem").waitFor();
    await wrote(() => id("approve").click());
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  });

  test("who may only look sees a sentence where buttons would be", async () => {
    tenon.who = { ...tenon.who, roles: ["viewer"], rights: ["read"] };
    await opened();
    await show("dir_2");
    await id("panel").getByTestId("no-rights").first().getByText("ada only looks at this: the role viewer").waitFor();
    for (const action of ["approve", "refuse", "retry", "promote", "demote"]) assert.equal(await id(action).count(), 0, action);
  });

  test("where reading is open, deciding leads to the sign-in", async () => {
    tenon.who = { ...tenon.who, name: "nobody", roles: ["viewer"], rights: ["read"], via: "nothing" };
    await opened();
    await show("dir_2");
    await id("panel").getByTestId("no-rights").first().getByText("sign in").click();
    await page.waitForURL("**/sign-in");
  });

  test("without a session the page goes to the sign-in", async () => {
    await page.goto(tenon.address);
    await page.waitForURL("**/sign-in");
    assert.ok(!tenon.asked.includes("/api/v1/overview"), "nothing is asked that is only refused");
  });

  test("a token that Tenon does not accept is said, and forgotten", async () => {
    await page.goto(`${tenon.address}#token=wrong`);
    await id("signed-out").getByText("The link's token was not accepted").waitFor();
    assert.equal(page.url(), tenon.address);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });

  test("a session that ends takes what is shown with it", async () => {
    await opened();
    await show("dir_2");
    await id("approve").waitFor();
    tenon.ended = true;
    await id("approve").click();
    await id("signed-out").getByText("Your session has ended").waitFor();
    assert.equal(await id("queue-row").count(), 0);
    const asked = tenon.asked.length;
    await page.evaluate(() => {
      window.dispatchEvent(new Event("online"));
      return fetch("/after");
    });
    assert.deepEqual(tenon.asked.slice(asked), ["/after"], "nobody asks on without a session");
  });

  test("signing out ends the session and leads to the sign-in", async () => {
    await opened();
    await id("sign-out").click();
    await page.waitForURL("**/sign-in");
    assert.equal(tenon.ended, true);
  });

  test("an event changes the page without a reload, and a burst is asked for once or twice", async () => {
    await opened();
    await page.evaluate(() => (window.sameDocument = true));
    const before = tenon.asked.filter((path) => path === "/api/v1/overview").length;
    const { queue } = overview();
    for (let index = 0; index < 20; index += 1) tenon.moved({});
    tenon.moved({ queue: queue.slice(1) });
    await row("dir_1").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => window.sameDocument), true);
    await id("position").getByText(tenon.overview.seq.toLocaleString("en-GB"), { exact: true }).waitFor();
    const asked = tenon.asked.filter((path) => path === "/api/v1/overview").length - before;
    assert.ok(asked <= 8, `21 events led to ${asked} questions`);
  });

  test("only what changed is asked for again", async () => {
    await opened();
    await id("asset-row").first().click();
    await id("finding").first().waitFor();
    const asked = () => [tenon.asked.filter((path) => path === "/api/v1/overview").length, tenon.asked.filter((path) => path.startsWith("/api/v1/assets/")).length];
    const before = asked();
    // Nothing that anybody is shown: the position moves, nothing is fetched.
    tenon.moved({}, []);
    await id("position").getByText(tenon.overview.seq.toLocaleString("en-GB"), { exact: true }).waitFor();
    assert.deepEqual(asked(), before);
    // The queue: the overview, and not the asset that is open.
    tenon.moved({ queue: overview().queue.slice(1) }, ["queue"]);
    await row("dir_1").waitFor({ state: "detached" });
    assert.deepEqual(asked(), [before[0] + 1, before[1]]);
    const again = page.waitForResponse((response) => response.url().includes("/api/v1/assets/"));
    tenon.moved({}, ["assets"]);
    await again;
  });

  test("the keyboard walks the queue, opens and closes", async () => {
    await opened();
    const focused = () => page.evaluate(() => document.activeElement?.dataset.id ?? null);
    await page.keyboard.press("j");
    assert.equal(await focused(), "dir_1");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    assert.equal(await focused(), "dir_2");
    await page.keyboard.press("Enter");
    await page.locator("[data-panel-id=dir_2]").waitFor();
    await page.keyboard.press("j");
    await page.locator("[data-panel-id=dir_3]").waitFor();
    await page.keyboard.press("Escape");
    await id("panel").waitFor({ state: "detached" });
    assert.equal(await focused(), "dir_3");
    await show("dir_2");
    await id("refuse").click();
    await page.keyboard.type("jk");
    assert.equal(await id("refusal").inputValue(), "jk");
    await page.keyboard.press("Escape");
    await id("refusal").waitFor({ state: "detached" });
    assert.equal(await id("panel").count(), 1);
  });

  test("evidence is fetched when it is looked at", async () => {
    await opened();
    assert.ok(!tenon.asked.some((path) => path.includes("/reports/")));
    await show("dir_2");
    await id("rehearsal-outcome").getByText("passed").waitFor();
    assert.ok(tenon.asked.includes(`/api/v1/reports/${REHEARSAL}`));
    assert.equal(await id("step").count(), 3);
    assert.match(await id("step").last().innerText(), /install.*added/s);
    await show("dir_3");
    await id("evidence-of").first().locator("summary").click();
    await id("apply-outcome").getByText("rolled back").waitFor();
    assert.match(await id("apply-report").innerText(), /exit status 0[\s\S]*nginx\.service[\s\S]*active[\s\S]*failed/);
    assert.match(await id("apply-report").innerText(), /20-balancer before\s+well[\s\S]*20-balancer undo\s+killed after 120 s[\s\S]*waiting for <b>lb1<\/b>/);
  });

  test("a host that asks for signatures says by which keys, who has signed, and what to type", async () => {
    await opened();
    await show("dir_2");
    const signatures = await id("signatures").first().innerText();
    assert.equal(signatures, `1 of 2, by keys that this host names: SHA256:alices (alice), SHA256:${HOSTILE}`);
    assert.match(await id("hosts").innerText(), /waits for 1 more signature of a key[\s\S]*tenon approve dir_2 --key FILE/);
  });

  test("what is not assessed is never a zero", async () => {
    await opened();
    const asset = id("asset-row").filter({ hasText: "db-primary" });
    assert.match(await asset.getByTestId("not-assessed").innerText(), /no advisories for Debian:13 have been loaded/);
    assert.doesNotMatch(await asset.innerText(), /^\s*0\s*$/m);
    await asset.click();
    await id("finding").first().waitFor();
    const off = await id("suppressed").innerText();
    assert.ok(off.includes("CVE-2026-8080") && off.includes("not affected: <script>") && off.includes("Example Ltd"), off);
    assert.equal(await id("gap").count(), 3);
  });

  test("a demonstration says so above everything, and its time is the present", async () => {
    tenon.overview = overview({ demo: DEMO });
    await opened();
    await id("demo-mark").getByText("every host and every advisory here is invented").waitFor();
    // Due in 11 hours by this machine's clock, and long overdue by the record's.
    assert.match(await row("dir_2").innerText(), /overdue by 12 days/);
    await id("guide-waits").waitFor();
    assert.match(await id("guide").innerText(), /Part 6 of 10[\s\S]*47 rehearsals passed[\s\S]*Or refuse it/);
    await id("guide-open").click();
    await page.locator("[data-panel-id=dir_1] [data-testid=decision]").waitFor();
    assert.equal(await id("guide-open").count(), 0, "it is open");
    await id("guide-hide").click();
    await id("guide").waitFor({ state: "detached" });
    await id("guide-show").click();
    tenon.moved({ demo: { ...DEMO, part: 7, waits: false } }, ["queue"]);
    await page.locator("[data-testid=guide][data-part='7']").waitFor();
    assert.equal(await id("guide-waits").count(), 0);
  });

  test("what ended is looked through by what it was and how it ended", async () => {
    await opened();
    const rows = () => id("closed-row").evaluateAll((all) => all.map((one) => one.dataset.id));
    const until = async (expected) => {
      await page.waitForFunction((expected) => JSON.stringify([...document.querySelectorAll("[data-testid=closed-row]")].map((one) => one.dataset.id)) === expected, JSON.stringify(expected));
      await settled();
    };
    assert.deepEqual(await rows(), ["dir_6", "dir_7"]);
    await id("ended").selectOption("refused");
    await until(["dir_7"]);
    assert.equal(await id("closed-total").innerText(), "1 found, newest first");
    await id("ended").selectOption("");
    await id("find-closed").fill("unbound");
    await until(["dir_7"]);
    await id("find-closed").fill("curl");
    await until(["dir_6"]);
    await id("group-closed").selectOption("data");
    await id("none-closed").getByText("Nothing that ended is like that.").waitFor();
    assert.ok(tenon.queries.includes("from=0&limit=100&state=closed&q=curl&group=data"));
  });

  test("the trend tells what is newly seen from what got worse", async () => {
    await opened();
    const said = async (part) => (await id(`moved-${part}`).innerText()).replace(/\s+/g, " ");
    assert.equal(await said("newly_seen"), "newly seen +400");
    assert.equal(await said("got_worse"), "got worse +60");
    assert.equal(await said("done"), "done -25.5");
    assert.match(await id("trend").innerText(), /634\.5 risk points, 234\.5 like for like/);
  });

  test("which entries of the record moved exposure most is told below it", async () => {
    await opened();
    await id("movement").first().waitFor();
    const told = await id("movement").allInnerTexts();
    assert.equal(told.length, 3);
    assert.match(told[0], /\+60\s+KEV: 1 vulnerability changed/);
    assert.match(told[1], /-25\.5\s+web1 reported what changed/);
    assert.match(told[2], /entry 1[,.\u00a0\u202f]?190/);
  });

  test("each figure of the scoreboard opens what it means, and leads to its rows", async () => {
    await opened();
    const said = async (name) => (await id(name).innerText()).replace(/\s+/g, " ");
    assert.equal(await said("figure-remediation"), "time to fix 8 d 3 h p90 8 d 3 h, 72 cases");
    assert.equal(await said("figure-overdue"), "overdue 3 <0.1 % of 3,085 open");
    assert.match(await said("figure-half_life"), /not reached: 77\.4 % open/);
    assert.match(await said("figure-change_success"), /98\.6 % 72 of 73 changes/);
    await id("figure-change_success").click();
    const explained = await said("explained");
    for (const what of [/in percent of changes/, /is not among them/, /The others: 1 taken back\./]) assert.match(explained, what);
    assert.equal(await id("figure-change_success").getAttribute("aria-expanded"), "true");
    await id("to-rows").click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "closed-title");
    await id("figure-change_success").click();
    assert.equal(await id("explained").count(), 0);
  });

  test("the scoreboard shows where hand-offs cost, and each group by the same figures", async () => {
    await opened();
    const waits = (await id("waited-for").innerText()).replace(/\s+/g, " ");
    assert.equal(waits, "waited for people 98.5 % machines 0.2 % waves and windows 1.1 %");
    const widths = await page.locator(".stack rect").evaluateAll((all) => all.map((one) => [one.dataset.step, Number(one.getAttribute("width"))]));
    assert.deepEqual(widths.map(([step]) => step), ["promotion", "rehearsal", "approval", "turn", "change", "confirmation"]);
    assert.ok(widths[0][1] > 900 && widths.every(([, width]) => width >= 1), "in the order of the loop, each is seen");
    await id("score-groups").getByRole("button", { name: "edge" }).click();
    assert.equal(await id("score-group").inputValue(), "edge");
    assert.match(await id("figure-sla").innerText(), /50\.0 %/);
    await id("figure-overdue").click();
    await id("to-rows").click();
    await id("none-found").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "queue-title");
    assert.match(await id("scoreboard").innerText(), /no case was verified in these days/i);
  });

  test("offline is said, what is known stays, and it comes back by itself", async () => {
    await opened();
    await show("dir_2");
    await id("approve").waitFor();
    await tenon.stop();
    await linked("offline");
    await id("interruption").getByText("Tenon does not answer").waitFor();
    assert.equal(await id("queue-row").count(), 5);
    assert.ok(await id("approve").isDisabled());
    await tenon.start();
    await linked("live");
    assert.equal(await id("interruption").count(), 0);
  });

  test("first run: no asset, only observing, nothing to do", async () => {
    const { assets, queue } = overview();
    tenon.overview = overview({ assets: [], queue: [], closed: [], closed_total: 0, feeds: [] });
    await opened();
    await id("no-asset").waitFor();
    tenon.moved({ assets: assets.slice(0, 2).map((asset) => ({ ...asset, mode: "observe" })), queue });
    await id("only-observing").getByText("nothing is applied without approval").waitFor();
    const promoted = await wrote(() => id("promote-first").click());
    assert.equal(promoted.path, "/api/v1/groups/web/promote");
    tenon.moved({ assets: assets.slice(0, 2), queue: [] });
    await id("nothing-to-do").getByText("Nothing to do.").waitFor();
    tenon.moved({ assets });
    await id("nothing-to-do").getByText("Nothing to do that Tenon knows of.").waitFor();
  });

  test("of 50,000 directives and 100,000 hosts only what is in sight is asked for", async () => {
    tenon.overview = large(50_000, 100_000);
    await opened();
    const answers = [];
    page.on("response", (response) => answers.push(response.url()));
    assert.ok((await id("queue-row").count()) < 60, "rows out of sight are not drawn");
    const shown = () => page.locator("#queue [data-testid=window]").evaluate((box) => {
      const { top, bottom } = box.getBoundingClientRect();
      const rows = [...box.querySelectorAll("[data-testid=queue-row]")];
      return rows.filter((row) => row.getBoundingClientRect().bottom > top && row.getBoundingClientRect().top < bottom).map((row) => row.dataset.id);
    });
    /** Rows move to their places a frame or two after they are there. */
    const until = async (holds) => {
      const deadline = Date.now() + 15_000;
      while (!(await holds())) assert.ok(Date.now() < deadline, `${holds}: ${await shown()}`);
    };
    const scrollTo = (part) => page.locator("#queue [data-testid=window]").evaluate((box, part) => box.scrollTo(0, (box.scrollHeight - box.clientHeight) * part), part);
    await until(async () => (await shown())[0] === "dir_1");
    await scrollTo(1);
    await row("dir_50000").waitFor();
    await until(async () => (await shown()).at(-1) === "dir_50000");
    await scrollTo(0.5);
    await row("dir_25000").waitFor();
    assert.ok((await shown()).includes("dir_25000"));
    const asked = () => answers.filter((url) => url.includes("/api/v1/directives?")).length;
    assert.ok(asked() <= 6, `three places led to ${asked()} questions`);
    // A change asks again for what is in sight, and nothing else; the window stays where it is.
    const before = asked();
    const again = page.waitForResponse((response) => response.url().includes("/api/v1/directives?from=24900"));
    tenon.moved({}, ["queue"]);
    await again;
    await id("position").getByText(tenon.overview.seq.toLocaleString("en-GB"), { exact: true }).waitFor();
    assert.ok((await shown()).includes("dir_25000"));
    assert.ok(asked() - before <= 4, `${asked() - before} questions after a change`);
    // Ordered and searched by Tenon; a new list begins at its top.
    await id("sort").selectOption("removes");
    await row("dir_49999").waitFor();
    await until(async () => (await shown())[0] === "dir_49999");
    await id("find").fill("package-0123");
    await row("dir_123").waitFor();
    await id("totals").getByText("found").waitFor();
    await id("find").fill("no such thing");
    await id("none-found").waitFor();
    await id("find").fill("");
    await row("dir_49999").waitFor();
    await id("find").press("Enter");
    // The keyboard walks on past what was drawn first.
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press("j");
      await page.waitForFunction((place) => document.activeElement?.closest("li")?.dataset.place === place, String(step));
    }
    const hosts = page.locator("#assets [data-testid=window]").first();
    await hosts.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await page.locator("[data-testid=asset-row]", { hasText: "host-099998" }).waitFor();
  });

  test("on a phone nothing is wider than the screen and the panel covers the lists", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await opened();
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(await overflow(), 0);
    await show("dir_1");
    const box = await id("panel").boundingBox();
    assert.deepEqual([box.width, box.height], [390, 844]);
    assert.equal(await page.getByTestId("panel").locator(".panel-body").evaluate((body) => body.scrollWidth - body.clientWidth), 0);
    await page.goBack();
    await id("panel").waitFor({ state: "detached" });
    assert.equal(await id("queue-row").count(), 5);
  });
});
