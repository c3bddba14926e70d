// Every view of the page that tests look at, in a state in which there is something to see.
import { addressee, at, control, DEMO, detection, exception, large, log, open, overview, retired, THEN, then } from "./answers.mjs";
import { HISTORY } from "./backtests.mjs";
import { rolling } from "./rollouts.mjs";

/** A policy with a rule, a window and a freeze. */
const POLICY = {
  version: 3,
  digest: "c3".repeat(32),
  text: "version: 1\nrules:\n  - {name: routine, approval: automatic}\n",
  rules: [{ name: "routine", when: "rehearsal.undo == 'proven'", approval: "automatic", windows: ["night"], tempo: "fast", why: "the board said so" }],
  windows: [{ name: "night", opens: "every day 22:00 to 04:00 (Europe/Berlin)" }],
  freezes: [{ name: "december", from: at(24), until: at(24 * 20), when: null }],
};
/** A regulation of one's own, as it was adopted. */
const REGULATION = {
  id: "acme-vm",
  version: "1",
  title: "ACME vulnerability rule",
  source: "https://rules.acme.example/vm-1 <script>alert(1)</script>",
  effective: at(-24 * 30),
  from: "raised",
  columns: ["In KEV", "Publicly Exposed"],
  rows: 4,
  replaces: ["pci-dss-4.0.1"],
  text: "id,acme-vm\nversion,1\nIn KEV,Publicly Exposed,days\nyes,yes,2\n",
};
/** Everything stands somewhere: risks accepted, controls, an attack, a policy, a regulation. */
const standing = () => overview({ regulations: [REGULATION], rules: { table: "bod-26-04", clocks: ["bod-26-04", "pci-dss-4.0.1"] }, controls: [control(), control({ id: "ctl_2", vulnerabilities: [] })], exceptions: [exception()], detections: [detection()], policy: POLICY });
const talked = () => {
  const world = overview();
  return { ...world, queue: world.queue.map((one) => (one.id === "dir_2" ? { ...one, disputed: true, thread: [{ at: at(-2), by: "mira", kind: "dispute", text: "the module is not loaded" }] } : one)) };
};

export const VIEWS = {
  "the lists": { world: overview },
  "what is open, and who is told": {
    world: overview,
    more: {
      open: [open("CVE-2026-1001", { exploited: true, foreseen_ppm: null, attacked: 2, not_offered: 40, no_fix: 3 }), open("CVE-2026-1002", { epss_ppm: null, cvss: null, since: null })],
      messages: [addressee(), addressee({ name: "tickets", waiting: 2, last: null, problem: "tickets.example.org answers 503" })],
    },
  },
  "a directive to approve": { world: overview, hash: "#dir_2" },
  "a directive with forensics": { world: overview, hash: "#dir_1" },
  "a zone that an attacker reaches": { world: overview, click: "reach-first" },
  "a host that an attacker reaches": { world: overview, hash: "#ast_00000000000000000000000000000001" },
  "a host that is not wholly known": { world: overview, hash: "#ast_00000000000000000000000000000003" },
  "a rollout under way": { world: rolling, hash: "#dir_11" },
  "a rollout that halted": { world: rolling, hash: "#dir_12" },
  "hosts that are held back": { world: rolling, hash: "#dir_13" },
  "a demonstration": { world: () => overview({ demo: DEMO }), hash: "#dir_2" },
  "the record as it stood": { world: overview, past: `?as_of=${THEN}#dir_2` },
  "a moment that cannot be shown": { world: overview, past: "?as_of=2026-10-01" },
  "choosing a moment": { world: overview, click: "as-of" },
  "hosts that are gone": { world: overview, click: "to-retired" },
  "a queue in parts, and its views": { world: () => large(30, 3), past: "?group=team-1&by=group", click: "views" },
  "the way to everything": { world: overview, hash: "#dir_2", click: "palette-open" },
  "policies over history": { world: overview, more: { backtest: HISTORY }, click: "backtest-go" },
  "every section with something in it, a figure explained": { world: standing, more: { log }, click: "figure-half_life" },
  "a vulnerability with an attack, a risk and a control": { world: standing, hash: "#CVE-2026-5535" },
  "accepting a risk": { world: overview, hash: "#CVE-2026-5535", click: "accept-risk" },
  "recording a control": { world: overview, hash: "#CVE-2026-5535", click: "record-control" },
  "a policy under edit, about to be set": { world: standing, click: "try-policy", then: ["preset-fast", "policy-ask"] },
  "leave to change without evidence": { world: overview, hash: "#dir_1", click: "open-waive" },
  "refusing": { world: overview, hash: "#dir_2", click: "refuse" },
  "giving it to somebody": { world: overview, hash: "#dir_2", click: "give" },
  "a dispute, and its answer": { world: talked, hash: "#dir_2", click: "open-answer" },
  "halting a rollout": { world: rolling, hash: "#dir_11", click: "halt-open" },
  "evidence of a rehearsal unfolded": { world: overview, hash: "#dir_3", unfold: "evidence-of" },
  "the losses of a directive unfolded": { world: overview, hash: "#dir_1", unfold: "loss" },
  "nothing yet": { world: () => overview({ assets: [], queue: [], closed: [], closed_total: 0, feeds: [] }) },
};

/** Shows a view, in a colour scheme. */
export async function show(visit, { world, more, hash, past, click, then: further = [], unfold }, colorScheme) {
  await visit.page.emulateMedia({ colorScheme });
  visit.tenon.overview = world();
  Object.assign(visit.tenon, { past: { [THEN]: then() }, retired, log, ...more });
  await visit.opened(hash);
  if (past) await visit.page.goto(visit.tenon.address + past);
  if (click === "reach-first") {
    await visit.page.getByRole("button", { name: "Reach", exact: true }).click();
    await visit.id("reach-row").first().getByRole("button").click();
  } else if (click) await visit.id(click).click();
  for (const next of further) await visit.id(next).click();
  if (unfold) await visit.page.evaluate((of) => document.querySelectorAll(`details[data-testid=${of}]`).forEach((one) => (one.open = true)), unfold);
  await visit.page.locator("body:not(:has([aria-busy=true]))").waitFor();
  await visit.settled();
}
