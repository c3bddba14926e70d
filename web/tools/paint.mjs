// How long a large queue takes to show what was asked for, measured in a real browser against a running server:
//   cargo run --release -p tenon-server --example views -- 20000 250 --serve     prints the address
//   node tools/paint.mjs ADDRESS
import { launch } from "../tests/browser.mjs";

const address = process.argv[2];
if (!address) throw new Error("usage: node tools/paint.mjs ADDRESS");
const TIMES = 20;
const SORTS = ["removes", "assets", "raised", "package", "group", "urgency"];

/** In the page: does one thing and gives the milliseconds from question to answer and from answer to paint. */
async function measured([what, value]) {
  const set = (kind, event) => {
    const field = document.querySelector(`[data-testid=${what}]`);
    // Past React, which takes a value that was set through it for no change.
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, value);
    field.dispatchEvent(new Event(event, { bubbles: true }));
  };
  const list = () => document.querySelector("#queue [data-testid=window]");
  const act = {
    scroll: () => list().scrollTo(0, (list().scrollHeight - list().clientHeight) * value),
    sort: () => set(HTMLSelectElement, "change"),
    find: () => set(HTMLInputElement, "input"),
  };
  const shows = () => {
    const { top, bottom } = list()?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
    const inSight = [...(list()?.querySelectorAll("li") ?? [])].filter((row) => {
      const at = row.getBoundingClientRect();
      return at.bottom > top && at.top < bottom;
    });
    return inSight.length > 0 && inSight.every((row) => row.className !== "missing");
  };
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  performance.clearResourceTimings();
  act[what]();
  for (const started = performance.now(); performance.now() - started < 15_000; ) {
    await frame();
    const questions = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/api/v1/directives?") && !name.includes("state="));
    if (questions.length === 0 || !shows()) continue;
    // The frame in which it was drawn has been shown when the next one begins.
    await frame();
    const last = questions.reduce((a, b) => (a.responseEnd > b.responseEnd ? a : b));
    return { response: last.responseEnd - last.requestStart, paint: performance.now() - last.responseEnd };
  }
  throw new Error(`${what} ${value}: nothing was shown for 15 s`);
}

function show(what, all) {
  const at = (of, part) => of.toSorted((a, b) => a - b)[Math.min(of.length - 1, Math.floor(of.length * part))].toFixed(0);
  const [response, paint] = [all.map((one) => one.response), all.map((one) => one.paint)];
  console.log(`${what.padEnd(7)} question to answer p50 ${at(response, 0.5)} ms, p99 ${at(response, 0.99)} ms; answer to paint p50 ${at(paint, 0.5)} ms, p99 ${at(paint, 0.99)} ms; of ${all.length}`);
}

const browser = await launch();
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
await page.goto(address);
await page.locator("#queue [data-testid=window] [data-testid=queue-row]").first().waitFor();
const KINDS = {
  scroll: (time) => ((time * 37 + 11) % 100) / 100,
  sort: (time) => SORTS[time % SORTS.length],
  find: (time) => `package-${time % 2}${Math.floor(time / 2) % 10}`,
};
for (const [what, value] of Object.entries(KINDS)) {
  const all = [];
  for (let time = 0; time < TIMES; time += 1) all.push(await page.evaluate(measured, [what, value(time)]));
  show(what, all);
}
await browser.close();
