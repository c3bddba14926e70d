// How long a large queue takes to show what was asked for, measured in a real browser against a running server:
//   cargo run --release -p tenon-server --example views -- 20000 250 --serve     prints the address
//   node tools/paint.mjs ADDRESS
// Told are the times as somebody waits for them, which other work on the machine makes longer, and how long the page's own thread
// computed for it, which it does not: in all, and in its longest task, in which nothing else is answered.
import { launch } from "../tests/browser.mjs";

const address = process.argv[2];
if (!address) throw new Error("usage: node tools/paint.mjs ADDRESS");
const TIMES = 20;
const REST_MS = 20_000;
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

/** Milliseconds that the page's thread computed while `act` ran: in all, and in its longest task. */
async function computed(browser, page, act) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  const done = await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const whole = traceEvents.filter(({ ph, tdur }) => ph === "X" && tdur !== undefined);
  const threads = new Map();
  for (const event of whole) {
    const thread = `${event.pid} ${event.tid}`;
    if (!threads.has(thread)) threads.set(thread, []);
    threads.get(thread).push(event);
  }
  // The page's thread is the one that runs its scripts.
  const [most] = [...threads.values()].toSorted((a, b) => scripts(b) - scripts(a));
  const tasks = most.filter(({ name }) => name.endsWith("RunTask")).map(({ tdur }) => tdur / 1000);
  if (tasks.length === 0) throw new Error("the browser traced no task of the page");
  return { ...done, computed: tasks.reduce((sum, task) => sum + task, 0), longest: Math.max(...tasks) };
}

const scripts = (events) => events.filter(({ name }) => name === "FunctionCall").length;

function show(what, all) {
  const at = (of, part) => of.toSorted((a, b) => a - b)[Math.min(of.length - 1, Math.floor(of.length * part))].toFixed(0);
  const [response, paint, computed, longest] = ["response", "paint", "computed", "longest"].map((name) => all.map((one) => one[name]));
  console.log(`${what.padEnd(7)} question to answer p50 ${at(response, 0.5)} ms, p99 ${at(response, 0.99)} ms; answer to paint p50 ${at(paint, 0.5)} ms, p99 ${at(paint, 0.99)} ms; the page computed p50 ${at(computed, 0.5)} ms, p99 ${at(computed, 0.99)} ms, in one go at most ${at(longest, 1)} ms; of ${all.length}`);
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
  for (let time = 0; time < TIMES; time += 1) all.push(await computed(browser, page, () => page.evaluate(measured, [what, value(time)])));
  show(what, all);
}
// Every 15 s each time that is told counts on, whatever is done meanwhile.
const rest = await computed(browser, page, () => page.waitForTimeout(REST_MS));
console.log(`at rest the page computed ${rest.computed.toFixed(0)} ms in ${REST_MS / 1000} s, in one go at most ${rest.longest.toFixed(0)} ms`);
await browser.close();
