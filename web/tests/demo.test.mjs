// The demonstration in a real browser, from the real program: its story as a visitor acts in it. The program is
// target/debug/tenon, or the one that TENON names.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";

import { launch } from "./browser.mjs";
import { demonstrated, missing } from "./program.mjs";

const NAME = "a visitor acts in the demonstration";
if (missing) console.log(`skipped: ${NAME}: ${missing}`);

it(NAME, { skip: missing ? `skipped: ${NAME}: ${missing}` : false, timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tenon-demo-"));
  const { server, link } = await demonstrated(folder);
  const browser = await launch();
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => /Content Security Policy|Refused to/i.test(message.text()) && complaints.push(message.text()));
    const id = (name) => page.getByTestId(name);
    const part = (number) => page.locator(`[data-testid=guide][data-part="${number}"]`).waitFor();

    await page.goto(link);
    await id("demo-mark").getByText("every host and every advisory here is invented").waitFor();
    // It waits for whoever watches, and leads there.
    await part(6);
    await id("guide-waits").waitFor();
    await id("guide-open").click();
    // Its row asks for evidence, which every host has handed over by now.
    await page.getByText("sealed of 48 hosts").waitFor();
    await id("approve").click();
    // The canary that fails; the page moves by itself.
    await part(8);
    await id("halted").getByText("Halted by itself").waitFor();
    assert.ok((await page.locator("[data-testid=cell][data-stage=rolled-back]").count()) === 1);
    assert.match(await id("panel").innerText(), /lanternd\.service was active before and is failed now/);
    // What decides stays in sight: the mark takes no room from the panel.
    const box = await page.locator(".panel-foot").boundingBox();
    assert.ok(box.y + box.height <= 900, `the panel's foot ends at ${box.y + box.height}`);
    await id("resume").click();
    await part(9);
    await id("rollout-state").getByText("done").waitFor();
    assert.match(await id("rollout-done").innerText(), /46 of 48/);
    // The guide can be put away, and comes back.
    await id("guide-hide").click();
    await id("guide").waitFor({ state: "detached" });
    await id("guide-show").click();
    await part(9);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
