// The page as the program serves it: the real server, its cookies, its policy, its pages without scripts. The program is
// target/debug/tenon, or the one that TENON names.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";

import { launch } from "./browser.mjs";
import { missing, PROGRAM, up } from "./program.mjs";

const NAME = "signing in and out at the real server";
if (missing) console.log(`skipped: ${NAME}: ${missing}`);

it(NAME, { skip: missing ? `skipped: ${NAME}: ${missing}` : false, timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tenon-page-"));
  const env = { HOME: folder, USER: "owner", TENON_DATA: join(folder, "data") };
  const { server, link } = await up(["--no-agent", "--feeds", "none", "--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"], env);
  const address = link.replace(/#.*/, "");
  const browser = await launch();
  try {
    const complaints = [];
    const visit = async (to) => {
      const context = await browser.newContext();
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => /Content Security Policy|Refused to/i.test(message.text()) && complaints.push(message.text()));
      await page.goto(to);
      return page;
    };
    const live = (page) => page.locator("[data-testid=live-state][data-state=live]").waitFor();

    // The owner's link.
    const owner = await visit(link);
    await live(owner);
    assert.equal(owner.url(), address);
    assert.equal(await owner.getByTestId("rights").innerText(), "owner (admin)");
    await owner.reload();
    await live(owner);
    await owner.getByTestId("sign-out").click();
    await owner.waitForURL("**/sign-in");

    // Somebody who was invited, on the pages without scripts.
    const tenon = (...words) => execFileSync(PROGRAM, words, { env: { ...env, TENON_URL: address }, encoding: "utf8" });
    const code = tenon("user", "add", "ada", "--role", "viewer").trim().split("\n").at(-1);
    const ada = await visit(address);
    await ada.waitForURL("**/sign-in");
    await ada.getByText("set a password").click();
    await ada.getByLabel("Name").fill("ada");
    await ada.getByLabel("Code from the admin").fill(code);
    await ada.getByLabel("New password").fill("correct horse battery staple");
    await ada.getByLabel("Once more").fill("correct horse battery staple");
    await ada.getByRole("button").click();
    await live(ada);
    assert.equal(await ada.getByTestId("rights").innerText(), "ada (viewer)");
    await ada.getByTestId("sign-out").click();
    await ada.waitForURL("**/sign-in");

    // A colleague's address leads through the sign-in to the record as it stood, and what is not there is said.
    await ada.goto(`${address}?as_of=1`);
    await ada.waitForURL("**/sign-in");
    await ada.getByLabel("Name").fill("ada");
    await ada.getByLabel("Password").fill("not her password");
    await ada.getByRole("button").click();
    await ada.getByRole("alert").getByText("Name or password is wrong").waitFor();
    await ada.getByLabel("Password").fill("correct horse battery staple");
    await ada.getByRole("button").click();
    await ada.getByTestId("past-mark").getByText("As it stood after entry 1, not live").waitFor();
    assert.equal(ada.url(), `${address}?as_of=1`);
    await ada.goto(`${address}?as_of=2020-01-01`);
    await ada.getByTestId("past-problem").getByText(/the record begins at .*, after .*: ask for that time or a later one/).waitFor();
    await ada.getByTestId("back-to-now").click();
    await live(ada);
    assert.equal(ada.url(), address);

    // Erased, she is out with the next question that the page asks.
    tenon("user", "remove", "ada");
    await ada.evaluate(() => window.dispatchEvent(new Event("offline")));
    await ada.getByTestId("signed-out").getByText("Your session has ended").waitFor();
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
