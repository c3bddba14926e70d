// Canned answers of rollouts: a canary that changes, one that halted, one that holds back, one that is being watched, one that is done.
import { assets as known, overview } from "./answers.mjs";

const HOUR = 3_600_000;
const at = (hours) => new Date(Date.now() + hours * HOUR).toISOString().replace(/\.\d+Z$/, "Z");

const id = (n) => `ast_${String(n).padStart(32, "0")}`;
const names = Array.from({ length: 60 }, (_, n) => `shop-${String(n + 1).padStart(2, "0")}.example.org`);
const hosts = names.map((hostname, n) => ({ ...known[0], id: id(n + 101), hostname, group: "shop" }));

const host = (n, stage, why = null) => ({ id: hosts[n].id, hostname: hosts[n].hostname, stage, why_not_yet: why });
const many = (from, to, stage, why) => Array.from({ length: to - from }, (_, n) => host(from + n, stage, why));

const wave = (phase, state, on, more = {}) => ({
  phase,
  state,
  assets: on.length,
  done: on.filter(({ stage }) => stage === "verified").length,
  failed: on.filter(({ stage }) => ["failed", "rolled-back", "needs-person"].includes(stage)).length,
  under_way: on.filter(({ stage }) => ["applying", "applied"].includes(stage)).length,
  may_fail: phase === "canary" ? 0 : Math.floor(on.length / 20),
  soak_seconds: phase === "canary" ? 1_800 : 450,
  because: phase === "canary" ? "the first of 2 rehearsal classes, where a failure would cost least" : "at most 33% at once, and no more of one role than may be missing",
  hosts: on,
  ...more,
});

const rollout = (state, waves, more = {}) => ({
  version: 1,
  tempo: "standard",
  state,
  since: at(-0.2),
  waits: null,
  until: null,
  watching_ahead_seconds: 0,
  halt: null,
  waves,
  held_back: [],
  ...more,
});

const target = (name, from, to) => [{ package: name, architecture: "amd64", from, to }];

function directive(n, source, version, plan, more = {}) {
  const on = [...plan.waves, ...plan.held_back].flatMap((lane) => lane.hosts);
  const stages = {};
  for (const { stage } of on) stages[stage] = (stages[stage] ?? 0) + 1;
  const assets = on.map(({ id, hostname, stage, why_not_yet: reason }) => ({
    id,
    hostname,
    observe_only: null,
    packages: target(source, "1.0-1", version),
    stage: { name: stage, reason: stage === "verified" ? null : reason, order: null, report: null, retry: ["failed", "rolled-back", "needs-person"].includes(stage) },
    undo: "proven",
    units: [`${source}.service`],
    rehearsed_ms: 6_200,
    policy: "approved by policy, rule routine of version 2",
    approved_by: [],
    orders: [],
  }));
  return {
    id: `dir_${n}`,
    title: `upgrade ${source} to ${version}`,
    group: "shop",
    source,
    version,
    closes: [`CVE-2026-${10_000 + n}`],
    claims: [],
    advisories: [`DSA-59${n}-1`],
    decision: { table: "cisa-bod-26-04 1.0.0", row: 7, outcome: "14 days", forensics: false, assumed: [], vulnerability: `CVE-2026-${10_000 + n}`, inputs: [] },
    clocks: [],
    due: at(24 * 3),
    removes: `${40 + n}.5`,
    because: [],
    attacks: [],
    assets,
    asset_count: assets.length,
    stages,
    rollout: plan,
    raised: at(-20),
    assignee: null,
    disputed: false,
    thread: [],
    closed: null,
    ended: null,
    ...more,
  };
}

const LATER = "it is in wave 3 of 3, which waits for 2 hosts of wave 2 to show the fix";
const HALTED = "it is in wave 2 of 2, and the rollout is halted until a person resumes it";
const BROKE = "nginx.service was active before and is failed now";
const SPARES = "redundancy group db-main needs 2 of its 2 members: state a smaller minimum, or add a member, then resume";

/** One whose canary changes. */
export const running = directive(
  11,
  "openssl",
  "3.0.15-1~deb12u1",
  rollout(
    "running",
    [
      wave("canary", "ended", [host(0, "verified")]),
      wave("canary", "running", [host(1, "applying", "it has its order; the host's report is awaited"), host(2, "applied", "the host reports success; its next inventory must confirm it"), host(3, "verified")]),
      wave("widening", "waiting", many(4, 40, "approved", LATER)),
    ],
    { waits: "2 hosts of wave 2 to show the fix", until: at(23.8), watching_ahead_seconds: 1_800 },
  ),
);

/** One that stopped by itself. */
export const halted = directive(
  12,
  "nginx",
  "1.22.1-9+deb12u4",
  rollout("halted", [wave("canary", "running", [host(0, "rolled-back", BROKE)]), wave("widening", "waiting", many(1, 12, "approved", HALTED))], {
    waits: `a person to resume it: halted at ${at(-0.2)}: 1 of 1 assets of the wave failed`,
    halt: { at: at(-0.2), by: null, why: "1 of 1 assets of the wave failed, 0 may: look at them, then resume, which plans the rest anew" },
    watching_ahead_seconds: 1_800,
  }),
  { due: at(0.4) },
);

/** One that leaves hosts out. */
export const held = directive(
  13,
  "postgresql-15",
  "15.14-0+deb12u1",
  rollout("watched", [wave("canary", "watched", [host(40, "verified"), host(41, "verified")]), wave("widening", "waiting", many(42, 50, "approved", "it is in wave 2 of 2, which waits for the end of watching wave 1, at 2026-11-25T08:00:00Z"))], {
    waits: "the end of watching wave 1, at 2026-11-25T08:00:00Z",
    until: at(0.2),
    held_back: [{ assets: 2, hosts: [host(50, "approved", `held back: ${SPARES}`), host(51, "approved", `held back: ${SPARES}`)], why: SPARES }],
  }),
);

/** One that is over. */
export const over = directive(14, "curl", "7.88.1-10+deb12u9", rollout("over", [wave("canary", "ended", [host(52, "verified")]), wave("widening", "ended", many(53, 60, "verified", null))], { version: 2 }), {
  closed: `fixed at ${at(-1)}`,
  ended: "fixed",
});

export const rolling = () => overview({ assets: [...known, ...hosts], queue: [running, halted, held], closed: [over], closed_total: 1 });
