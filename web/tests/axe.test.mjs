// What axe finds that keeps people out: nothing serious may be left, in either colour scheme.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { show, VIEWS } from "./states.mjs";
import { visits } from "./visit.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SERIOUS = ["serious", "critical"];

visits("axe", (visit, test) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, view] of Object.entries(VIEWS)) {
      test(`${name}, ${colorScheme}`, async () => {
        await show(visit, view, colorScheme);
        // The debugger's way in, past the page's own policy against scripts from elsewhere.
        await visit.page.evaluate(AXE);
        const { violations, passes } = await visit.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        assert.ok(passes.length > 10, "axe looked at the page");
        const serious = violations.filter(({ impact }) => SERIOUS.includes(impact));
        assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join("\n")}`), []);
      });
    }
  }
});
