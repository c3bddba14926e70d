// The queue in parts, each under a head, in a real browser, against a stand-in for Tenon.
import assert from "node:assert/strict";
import { beforeEach } from "node:test";

import { large } from "./answers.mjs";
import { visits } from "./visit.mjs";

visits("the queue in parts", (visit, test) => {
  const { id, linked, opened, settled } = visit;
  let tenon, page;
  beforeEach(() => {
    ({ tenon, page } = visit);
    if (tenon) tenon.overview = large(30, 3);
  });

  const search = () => new URL(page.url()).search;
  const part = (name) => page.locator(`[data-testid=part][data-part="${name}"]`);
  const rowsOf = (name) => part(name).getByTestId("queue-row");
  const folding = (name) => part(name).getByTestId("part-fold");
  const shown = async (to) => {
    await page.goto("about:blank");
    await page.goto(`${tenon.address}${to}`);
    await linked("live");
    await page.locator(".lists:not(:has([aria-busy=true]))").waitFor();
    await id("part").first().waitFor();
    await settled();
  };
  const focused = () => page.evaluate(() => document.activeElement?.dataset.id ?? document.activeElement?.closest("[data-testid=part]")?.dataset.part);

  test("stands under heads that tell what each comes to, and that a screen reader hears", async () => {
    await opened();
    await id("by").selectOption("group");
    await id("part").first().waitFor();
    await settled();
    assert.deepEqual((await id("part").evaluateAll((all) => all.map((one) => one.dataset.part))).sort(), ["team-0", "team-1"]);
    for (const name of ["team-0", "team-1"]) {
      assert.equal(await rowsOf(name).count(), 15);
      assert.deepEqual([...new Set(await rowsOf(name).locator(".group").evaluateAll((all) => all.map((one) => one.textContent)))], [`group ${name}`]);
      // A region by its name, headed, and a button that says all of it and whether it is unfolded.
      await page.getByRole("region", { name, exact: true }).waitFor();
      const head = page.getByRole("heading", { level: 3 }).getByRole("button", { name: new RegExp(`^${name} *: *15 to do *, [\\d,.]+ risk points *, first due in \\d`), expanded: true });
      await head.waitFor();
    }
    await id("by").selectOption("stage");
    await page.waitForFunction(() => document.querySelector("[data-testid=part][data-part=proposed], [data-testid=part][data-part=needs-person], [data-testid=part][data-part=awaiting-approval]"));
    assert.equal(await id("part-only").count(), 0, "the queue cannot be narrowed to a stage");
  });

  test("each part folds by mouse and by key, and the address keeps it", async () => {
    await opened();
    await id("by").selectOption("group");
    await part("team-0").waitFor();
    await folding("team-0").click();
    await rowsOf("team-0").first().waitFor({ state: "detached" });
    assert.equal(search(), "?by=group&folded=team-0");
    assert.equal(await folding("team-0").getAttribute("aria-expanded"), "false");
    await shown(search());
    assert.deepEqual([await rowsOf("team-0").count(), await rowsOf("team-1").count()], [0, 15]);
    // Right unfolds, left folds; from a row left goes to its head.
    await folding("team-0").focus();
    await page.keyboard.press("ArrowRight");
    await rowsOf("team-0").first().waitFor();
    assert.equal(search(), "?by=group");
    await rowsOf("team-1").first().focus();
    await page.keyboard.press("ArrowLeft");
    assert.equal(await focused(), "team-1");
    await page.keyboard.press("ArrowLeft");
    await rowsOf("team-1").first().waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await rowsOf("team-1").first().waitFor();
    // All at once, but one.
    await id("fold-all").click();
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=queue-row]").length === 0);
    await folding("team-0").click();
    await rowsOf("team-0").first().waitFor();
    assert.equal(search(), "?by=group&folded=*,team-0");
    await shown(search());
    assert.deepEqual([await rowsOf("team-0").count(), await rowsOf("team-1").count()], [15, 0]);
    // Under a name it comes back; grouped otherwise nothing is folded.
    await id("views").click();
    await id("view-name").fill("folded");
    await id("view-name").press("Enter");
    await page.keyboard.press("Escape");
    await id("by").selectOption("outcome");
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=queue-row]").length === 30);
    assert.equal(search(), "?by=outcome");
    await id("views").click();
    await page.getByRole("button", { name: "folded", exact: true }).click();
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=queue-row]").length === 15);
    assert.equal(search(), "?by=group&folded=*,team-0");
  });

  test("the keyboard walks rows and heads, and what is folded is passed over", async () => {
    await opened();
    await shown("?by=group&folded=team-0");
    const walk = await id("part").evaluateAll((all) => all.map((one) => one.dataset.part));
    const lines = [];
    await page.keyboard.press("j");
    for (let step = 0; step < 17; step += 1) {
      lines.push(await focused());
      await page.keyboard.press("j");
    }
    const rows = await id("queue-row").evaluateAll((all) => all.map((one) => one.dataset.id));
    const expected = walk.flatMap((name) => (name === "team-0" ? [name] : [name, ...rows]));
    assert.deepEqual(lines, expected);
    await page.keyboard.press("k");
    assert.equal(await focused(), expected.at(-2));
  });

  test("a long queue draws what is in sight, keeps the head in sight, and asks for no row that is folded", async () => {
    await opened();
    tenon.overview = large(3_000, 3);
    await shown("?by=package");
    const drawn = await id("queue-row").count();
    assert.ok(drawn > 5 && drawn < 60, `${drawn} rows are drawn`);
    await shown("?by=group");
    const [first, second] = await page.evaluate(() => [...document.querySelectorAll("[data-testid=part]")].map((one) => one.dataset.part)).then(([one]) => [one, one === "team-0" ? "team-1" : "team-0"]);
    const window_ = id("window");
    await window_.evaluate((box) => box.scrollTo(0, 20_000));
    await settled();
    await rowsOf(first).first().waitFor();
    const [head, box] = await Promise.all([part(first).locator(".part-head").boundingBox(), window_.boundingBox()]);
    assert.ok(Math.abs(head.y - box.y) < 2, `the head stands at ${head.y}, the window begins at ${box.y}`);
    // What is beneath the head is a row of it, and rows follow each other without a hole.
    const tops = await rowsOf(first).evaluateAll((all) => all.map((one) => one.parentElement.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom]));
    for (let at = 1; at < tops.length; at += 1) assert.ok(Math.abs(tops[at][0] - tops[at - 1][1]) < 1, `row ${at}`);
    assert.ok(tops[0][0] <= head.y + head.height && tops.at(-1)[1] >= box.y + box.height);
    // Folded from the middle, its head stays, and what follows is asked for by its place and nothing else.
    tenon.queries = [];
    await folding(first).click();
    await rowsOf(second).first().waitFor();
    await settled();
    const now = await part(first).locator(".part-head").boundingBox();
    assert.ok(now.y >= box.y - 1 && now.y < box.y + box.height, `the head is in sight at ${now.y}`);
    const asked = tenon.queries.filter((query) => query.includes("group_by=group")).map((query) => Number(new URLSearchParams(query).get("from")));
    assert.ok(asked.length > 0 && asked.every((from) => from >= 1_400), `asked from ${asked}`);
    // The record moves on, also where no row is in sight.
    await id("fold-all").click();
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=queue-row]").length === 0);
    tenon.moved({ queue: large(2_000, 3).queue }, ["queue"]);
    await part(first).getByText("1,000").waitFor();
  });

  test("nothing of a head is cut, at every size", async () => {
    await opened();
    for (const [width, height] of [[1440, 900], [1920, 1080], [390, 844]]) {
      await page.setViewportSize({ width, height });
      await shown("?by=group");
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      const cut = await page.evaluate(() => [...document.querySelectorAll(".part-head :is(.part-name, .part-says, .part-only)")].filter((one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().bottom > one.closest(".part-head").getBoundingClientRect().bottom + 1).map((one) => one.textContent));
      assert.deepEqual(cut, [], `${width}`);
      const over = await page.evaluate(() => [...document.querySelectorAll(".part-head")].filter((head) => {
        const only = head.querySelector(".part-only").getBoundingClientRect();
        return [".part-name", ".part-says"].some((one) => {
          const says = head.querySelector(one).getBoundingClientRect();
          return says.right > only.left && says.left < only.right && says.bottom > only.top && says.top < only.bottom;
        });
      }).length);
      assert.equal(over, 0, `${width}: words stand over each other`);
    }
  });
});
