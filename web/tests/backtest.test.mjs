// Policies over history, in a real browser: against a stand-in for Tenon, and against the real program.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, it } from "node:test";
import { gzipSync } from "node:zlib";

import { done, HISTORY, underway } from "./backtests.mjs";
import { launch } from "./browser.mjs";
import { missing, up } from "./program.mjs";
import { visits } from "./visit.mjs";

visits("backtest", (visit, test) => {
  const { id, opened } = visit;
  let tenon, page;
  beforeEach(() => ({ tenon, page } = visit));

  test("without a history it says what it is for, and what gives it", async () => {
    await opened();
    const said = await id("backtest").innerText();
    assert.match(said, /Which policy finds most of what is exploited, for the least work\?/);
    assert.match(said, /tenon up --history FOLDER/);
    assert.equal(await id("backtest-form").count(), 0);
    tenon.backtest = { ...HISTORY, history: null, problem: "the mirror has no history (epss/epss_snapshots.csv)" };
    await page.reload();
    assert.match(await id("backtest-problem").innerText(), /cannot be used: the mirror has no history/);
  });

  test("policies and a span are chosen, progress is told, and the answer is words, a table and two charts", async () => {
    tenon.backtest = HISTORY;
    const states = [underway("waiting", 3, 6), underway("reading", 2, 6), underway("replaying", 40, 100)];
    let told = 0;
    tenon.replay = (asked) => states[told] ?? done(asked);
    await opened();
    assert.match(await id("backtest").innerText(), /125 days of history, 2024-03-30 to 2026-07-05/);
    // What this history cannot answer is off, and why.
    assert.ok(await id("backtest-cvss>=7").isDisabled());
    assert.match(await id("backtest-form").innerText(), /Reads records of CVEs, which this history does not have/);
    assert.equal(await id("backtest-from").inputValue(), "2024-07", "before its first model a forecast flags nothing");
    await id("backtest-kev").uncheck();
    await id("backtest-epss-top=1%").check();
    await id("backtest-to").fill("2025-12");
    await id("backtest-flagging").selectOption("allowed");
    await id("backtest-go").click();
    await id("backtest-progress").getByText("Another replay runs first").waitFor();
    told = 1;
    await id("backtest-progress").getByText("Reading the history: 2 of 6 files").waitFor();
    assert.ok(await id("backtest-go").isDisabled(), "one at a time");
    told = 2;
    await id("backtest-progress").getByText("Replaying: 40 of 100 days").waitFor();
    told = 3;
    await id("backtest-result").waitFor();
    assert.equal(await id("backtest-progress").count(), 0);
    assert.deepEqual(tenon.replays.at(-1), { policies: ["in-force", "epss>=0.1", "model-top=1%", "epss-top=1%"], from: "2024-07", to: "2025-12", flagging: "allowed" });
    assert.equal(tenon.writes.length, 0, "nothing is written");

    const words = await id("backtest-words").innerText();
    assert.match(words, /C\s+model-top=1% would have asked for 2,500 on an average day \(1\.00 % of all\) and had 41 of 100 that were listed and could be flagged; of what it asked for, one in 610 was listed\./);
    assert.match(await id("backtest-result").innerText(), /41 of 100 of those had no score on the day/);
    const rows = await id("backtest-table").locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent.trim())));
    assert.deepEqual(rows[2], ["C model-top=1%", "2,500", "1.00 %", "41.0 %", "24.1 %", "0.164 %", "410"]);
    assert.match(await id("backtest-result").innerText(), /policy in force, version 3: 20 of 100 of CVEs and days are undecided, because history does not have decision\.row/);
    assert.match(await id("backtest-efforts").locator("svg").getAttribute("aria-label"), /C model-top=1%: coverage 41\.000 % at an effort of 1\.000 %/);
    assert.match(await id("backtest-halves").locator("svg").getAttribute("aria-label"), /C model-top=1%: 2024 H2 32\.8 %.*2026 H1 45\.2 %/);
    assert.deepEqual(await id("backtest-efforts").locator(".policy-mark text").allTextContents(), ["A", "B", "C", "D"], "told apart also without colour");
    await id("backtest-parts").locator("summary").click();
    assert.match(await id("backtest-parts").innerText(), /2025 H1 B epss>=0\.1/);
  });

  test("what cannot be replayed is told, and nothing is asked where nothing is chosen", async () => {
    tenon.backtest = HISTORY;
    tenon.replay = () => ({ status: 400, body: { code: "bad-request", detail: "no day of scores from 2026-08-01 to 2026-08-31 has its next 30 days" } });
    await opened();
    await id("backtest-go").click();
    await id("backtest-why").getByText(/no day of scores from 2026-08-01/).waitFor();
    for (const policy of ["in-force", "epss>=0.1", "kev", "model-top=1%"]) await id(`backtest-${policy}`).uncheck();
    assert.ok(await id("backtest-go").isDisabled());
    assert.match(await id("backtest-form").innerText(), /Choose 1 to 8 policies/);
  });

  test("a policy under edit is compared as it is written", async () => {
    tenon.backtest = HISTORY;
    await opened();
    await id("try-policy").click();
    await id("policy-backtest").click();
    await page.waitForFunction(() => document.activeElement?.id === "backtest-title");
    await id("backtest-go").click();
    await id("backtest-result").waitFor();
    const asked = tenon.replays.at(-1);
    assert.equal(asked.policies[0], "draft");
    assert.equal(asked.draft, await id("policy-file").inputValue());
  });

  test("on a phone every figure has its name, and nothing is wider than the screen", async () => {
    tenon.backtest = HISTORY;
    await page.setViewportSize({ width: 390, height: 844 });
    await opened();
    await id("backtest-go").click();
    await id("backtest-result").waitFor();
    await id("backtest-parts").locator("summary").click();
    const wide = await page.evaluate(() => [...document.querySelectorAll("#backtest *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 || (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible")).map((one) => one.outerHTML.slice(0, 120)));
    assert.deepEqual(wide, []);
    const cell = id("backtest-table").locator("tbody td").first();
    assert.equal(await cell.evaluate((one) => getComputedStyle(one, "::before").content), '"Flagged a day"');
  });
});

/** Twenty weeks of scores; of ten new CVEs in each week one scores high and is listed twenty days later. */
function history(folder) {
  const day = (number) => new Date(Date.UTC(2025, 0, 4) + number * 86_400_000).toISOString().slice(0, 10);
  const snapshots = ["score_date,model_version"];
  const entries = [];
  for (let week = 0; week < 20; week += 1) {
    snapshots.push(`${day(7 * week)},v3`);
    entries.push({ cveID: `CVE-2025-${10_000 + 10 * week}`, dateAdded: day(7 * week + 20), dueDate: day(7 * week + 41) });
  }
  const put = (file, content) => {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), content);
  };
  put("epss/epss_snapshots.csv", `${snapshots.join("\n")}\n`);
  // Made by `xz`: Node has no writer of it.
  cpSync(new URL("./history/epss_changes.csv.xz", import.meta.url), join(folder, "epss/epss_changes.csv.xz"));
  put("epss/epss_withdrawn.csv", "last_seen_score_date,cve\n");
  put("kev/known_exploited_vulnerabilities.json", JSON.stringify({ catalogVersion: "1", dateReleased: `${day(180)}T10:00:00Z`, count: entries.length, vulnerabilities: entries }));
  put("kev/kev_changes.jsonl.gz", gzipSync(""));
  put("exploits/github_poc.csv", "cve,first_seen,source,first_seen_is_baseline,repos_listed_a,repos_named_b\n");
  put("exploits/metasploit_cve_modules.csv", "cve,first_seen,first_seen_is_baseline,modules\n");
}

const NAME = "policies over a history at the real server";
if (missing) console.log(`skipped: ${NAME}: ${missing}`);

it(NAME, { skip: missing ? `skipped: ${NAME}: ${missing}` : false, timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tenon-backtest-"));
  history(join(folder, "history"));
  const env = { HOME: folder, USER: "owner", TENON_DATA: join(folder, "data"), TENON_HISTORY: join(folder, "history") };
  const { server, link } = await up(["--no-agent", "--feeds", "none", "--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"], env);
  const browser = await launch();
  try {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(link);
    await page.getByTestId("backtest-form").waitFor();
    assert.equal(await page.getByTestId("backtest-in-force").count(), 0, "no policy is in force");
    await page.getByTestId("backtest-go").click();
    await page.getByTestId("backtest-result").waitFor();
    const words = await page.getByTestId("backtest-words").innerText();
    assert.match(words, /epss>=0\.1 would have asked for .* on an average day .* and had 100 of 100 that were listed and could be flagged/);
    assert.match(words, /kev would have asked for nothing, and had none of what was listed/);
    assert.match(await page.getByTestId("backtest-halves").locator("svg").getAttribute("aria-label"), /2025 H1 100\.0 %/);
  } finally {
    await browser.close();
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
