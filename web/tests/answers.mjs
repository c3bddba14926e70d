// Canned answers of the API: one small estate with every stage a person may meet, and one hostile name.
import { readFileSync } from "node:fs";

const HOUR = 3_600_000;
export const at = (hours) => new Date(Date.now() + hours * HOUR).toISOString().replace(/\.\d+Z$/, "Z");

export const HOSTILE = "<script>alert(1)</script>";
export const REHEARSAL = "a1".repeat(32);
export const APPLY = "b2".repeat(32);

const asset = (n, hostname, more = {}) => ({
  id: `ast_${String(n).padStart(32, "0")}`,
  hostname,
  group: "web",
  mode: "act",
  os: "Debian GNU/Linux 12 (bookworm)",
  packages: 412 + 37 * n,
  findings: 12 * n,
  security_updates: n,
  kernel: "6.1.0-44-amd64",
  observe_only: null,
  approval: null,
  updaters: [],
  reboot_required_by: [],
  not_assessed: [],
  gaps: [],
  context: { exposure: null, human_impact: null, mission: null },
  reported: at(-0.05 * n),
  order: null,
  ...more,
});

export const assets = [
  asset(1, "web-1.example.org"),
  asset(2, "web-2.example.org", { reboot_required_by: ["linux-image-6.1.0-45-amd64"], updaters: ["unattended-upgrades"] }),
  asset(3, "db-primary.example.org", {
    group: "data",
    mode: "observe",
    packages: 1204,
    findings: 0,
    security_updates: 0,
    not_assessed: ["no advisories for Debian:13 have been loaded"],
    gaps: [
      "systemd does not run here: the health of services is not known",
      "there is no package index: run `apt-get update`",
    ],
    os: "Debian GNU/Linux 13 (trixie)",
    observe_only: "no right to mount (CAP_SYS_ADMIN): the container it runs in forbids it",
  }),
];

const STILL = ["needs-person", "failed", "rolled-back"];
const stage = (name, more = {}) => ({ name, reason: null, order: null, report: null, retry: STILL.includes(name), ...more });
const target = (name, from, to) => ({ package: name, architecture: "amd64", from, to });

let orders = 100;
const order = (action, report) => ({ id: `ord_${(orders += 1)}`, action, issued: at(-2), answered: report ? at(-1) : null, report });

const on = ({ id, hostname }, packages, stage, more = {}) => ({
  id,
  hostname,
  packages,
  stage,
  undo: null,
  units: [],
  rehearsed_ms: null,
  policy: null,
  approved_by: [],
  signatures: null,
  evidence: null,
  orders: stage.report ? [order("rehearse", REHEARSAL), ...(stage.report === APPLY ? [order("apply", APPLY)] : [])] : [],
  ...more,
});

/** What is preserved of a host. */
export const preserved = (state, more = {}) => ({ state, since: at(-1.5), document: null, bytes: null, gaps: [], by: null, why: null, waits: null, ...more });

/** What the server counts of the assets of a directive. */
const counted = (assets) => {
  const stages = {};
  for (const { stage } of assets) stages[stage.name] = (stages[stage.name] ?? 0) + 1;
  return { asset_count: assets.length, stages };
};

const directive = (n, source, version, more) => ({
  id: `dir_${n}`,
  title: `upgrade ${source} to ${version}`,
  group: "web",
  source,
  version,
  closes: [],
  claims: [],
  advisories: [],
  decision: {
    table: "cisa-bod-26-04 1.0.0",
    row: 7,
    outcome: "14 days",
    forensics: false,
    assumed: [
      "not publicly exposed: no owner confirmed exposure",
      "automatable: no record says otherwise",
      "technical impact total: no record says otherwise",
    ],
    vulnerability: null,
    inputs: [],
  },
  clocks: [],
  due: at(24 * 9),
  removes: "1.2",
  because: [],
  attacks: [],
  evidence: null,
  assets: [],
  ...counted(more.assets ?? []),
  raised: at(-26),
  assignee: null,
  disputed: false,
  thread: [],
  closed: null,
  ended: null,
  ...more,
});

/** Two keys that web-1 asks for, of which one has signed. */
const SIGNATURES = {
  needed: 2,
  keys: ["SHA256:alices", `SHA256:${HOSTILE}`],
  given: [{ key: "SHA256:alices", by: "alice", until: at(24 * 7) }],
  missing: 1,
};

const [web1, web2, db] = assets;
const libssl = [
  target("libssl3", "3.0.14-1~deb12u2", "3.0.15-1~deb12u1"),
  target("openssl", "3.0.14-1~deb12u2", "3.0.15-1~deb12u1"),
];

const INPUTS = [
  { column: "In KEV v1.0.0 (cisa)", value: "yes", assumed: false, fact: "CVE-2026-10387 is exploited somewhere: listed in KEV", source: "kev", as_of: at(-75) },
  { column: "Publicly Exposed v1.0.0 (cisa)", value: "yes", assumed: false, fact: "exposure open", source: "the asset's context", as_of: null },
  { column: "Automatable v2.0.0", value: "no", assumed: true, fact: "automatable: no record says otherwise", source: "assumed", as_of: null },
  { column: "Technical Impact v1.0.0", value: "total", assumed: false, fact: `${HOSTILE}: technical impact total`, source: "CISA, in the CVE record", as_of: at(-70) },
];

const basis = (fact, source, as_of = null) => ({ fact, source, as_of });

/** The table as it is published, from the same file that Tenon reads it from. */
const [HEAD, ...ROWS] = readFileSync(new URL("../../crates/risk/data/cisa_bod_26_04.csv", import.meta.url), "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(","));
const TABLE = {
  title: "CISA BOD 26-04 Remediation Timelines",
  source: "CISA Binding Operational Directive 26-04, Table 1",
  columns: HEAD.slice(1, -1),
  outcome: HEAD.at(-1),
  rows: ROWS.map((cells) => ({ row: Number(cells[0]), values: cells.slice(1, -1), outcome: cells.at(-1) })),
};

/** What explains a directive. */
/** What moved a directive, the last first. */
export const moves = () => ({
  generation: 7,
  items: [
    { seq: 118, time: at(-2), said: `KEV: 1 vulnerability changed ${HOSTILE}`, before: "49.800000", points: "151.500000" },
    { seq: 112, time: at(-20), said: "EPSS v2026.06.15: 300,000 scores", before: "41.200000", points: "49.800000" },
    { seq: 7, time: at(-75), said: "feed debian: 1 new or changed", before: null, points: "41.200000" },
  ],
  more: false,
});

export const why = {
  table: TABLE,
  factors: [
    {
      vulnerability: "CVE-2026-10387", assets: 2, threat_ppm: 1_000_000, reach_ppm: 1_000_000, impact_ppm: 750_000, controls_ppm: 1_000_000, control: null, points: "150.0",
      because: [basis("exploited somewhere: listed in KEV", "kev", at(-75)), basis("attack vector network", "CVSS:3.1/AV:N", at(-90)), basis("exposure open", "the asset's context"), basis("human impact high", "context of group web", at(-400))],
    },
    {
      vulnerability: "CVE-2026-10388", assets: 2, threat_ppm: 52_300, reach_ppm: 200_000, impact_ppm: 750_000, controls_ppm: 1_000_000, control: null, points: "1.5",
      because: [
        basis("foreseen 5.23 % within 30 days", "five-2026-08-07", at(-20)),
        basis("attack vector network", "CVSS:3.1/AV:N", at(-90)),
        basis("exposure small", "derived from listeners and addresses"),
        basis(`attackers reach zone office with 0.3 %, over path internet > dmz > ${HOSTILE}`, "zones and flows", at(-5)),
        basis("human impact high", "context of group web", at(-400)),
      ],
    },
  ],
  flips: [
    { set: [{ vulnerability: null, column: "Publicly Exposed v1.0.0 (cisa)", from: ["yes"], to: "no" }], sooner: false, outcome: "14 days" },
    {
      set: ["CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4", "CVE-2026-5", "CVE-2026-6"]
        .map((vulnerability) => ({ vulnerability, column: "Exploitation v1.1.0", from: ["none", "public poc"], to: "active" }))
        .concat({ vulnerability: "CVE-2026-1", column: "Automatable v2.0.0", from: ["no"], to: "yes" }),
      sooner: true,
      outcome: "3 days",
    },
  ],
};

/** Why one vulnerability has the priority that it has on one asset. */
export const findingWhy = (id, hostname, vulnerability) => ({
  asset: id,
  hostname,
  finding: { vulnerability, advisory: "DSA-5801-1", source: "openssl", installed: "3.0.14-1~deb12u2", fixed: "3.0.15-1~deb12u1", state: "fix-offered", said: "fix offered: 3.0.15-1~deb12u1", opened: at(-50) },
  accepted: null,
  directive: "dir_2",
  directive_due: at(11),
  decision: { table: "cisa-bod-26-04 1.0.0", row: 7, outcome: "14 days", forensics: false, assumed: [], vulnerability, inputs: TABLE.columns.map((column, at) => ({ column, value: TABLE.rows[7].values[at], assumed: at === 2, ...basis("stated", "CISA, in the CVE record") })) },
  table: TABLE,
  due: at(24 * 9),
  clocks: [{ rule: "cisa-bod-26-04 1.0.0", row: 7, outcome: "14 days", vulnerability, since: at(-50), due: at(24 * 9) }],
  removes: "1.5",
  factor: { ...why.factors[1], vulnerability, assets: 1, points: "0.7" },
  flips: [],
});

const queue = [
  directive(1, "openssh", "1:9.2p1-2+deb12u6", {
    closes: ["CVE-2026-10387"],
    advisories: ["DSA-5724-1"],
    decision: { table: "cisa-bod-26-04 1.0.0", row: 12, outcome: "3 days & forensic investigation", forensics: true, assumed: ["automatable: no record says otherwise"], vulnerability: "CVE-2026-10387", inputs: INPUTS },
    clocks: [
      { rule: "cisa-bod-26-04 1.0.0", row: 12, outcome: "3 days & forensic investigation", vulnerability: "CVE-2026-10387", since: at(-75), due: at(-3.5) },
      { rule: "fedramp-rev5 rev5", row: 1, outcome: "30 days", vulnerability: "CVE-2026-10387", since: at(-75), due: at(24 * 27) },
    ],
    due: at(-3.5),
    evidence: { sealed: 1, waived: 0, lacking: 1 },
    removes: "200.0",
    because: [
      { fact: "CVE-2026-10387 is exploited somewhere: listed in KEV", source: "kev", as_of: at(-75) },
      { fact: "DSA-5724-1: openssh - security update", source: "DSA-5724-1", as_of: at(-90) },
    ],
    assets: [
      on(web1, [target("openssh-server", "1:9.2p1-2+deb12u5", "1:9.2p1-2+deb12u6")], stage("awaiting-approval", { report: REHEARSAL }), { undo: "proven", units: ["ssh.service"], rehearsed_ms: 7_400, evidence: preserved("missed", { why: "the host refused (limits): no order to preserve evidence is carried out" }) }),
      on(web2, [target("openssh-server", "1:9.2p1-2+deb12u5", "1:9.2p1-2+deb12u6")], stage("needs-person", { reason: "not rehearsed: /etc/ssh/sshd_config was changed by a person and the new package changes it too; merge it on the host, then retry" }), { undo: "possible: the way back was not tried, a configuration file is in question", units: ["ssh.service"], rehearsed_ms: 6_900, evidence: preserved("sealed", { document: "c3".repeat(32), bytes: 48_213, gaps: ["logs"] }) }),
    ],
  }),
  directive(2, "openssl", "3.0.15-1~deb12u1", {
    closes: ["CVE-2026-5535", "CVE-2026-9143", "CVE-2026-9144"],
    claims: ["CVE-2026-9950", "CVE-2026-9951"],
    advisories: ["DSA-5801-1"],
    due: at(11),
    removes: "14.3",
    because: [
      { fact: "CVE-2026-5535 has EPSS 0.07120", source: "epss v2026.06.15", as_of: at(-20) },
      { fact: "CVE-2026-9143 has EPSS 0.00312", source: "epss v2026.06.15", as_of: at(-20) },
      { fact: "CVE-2026-9950 has EPSS 0.00044 (claimed by the vendor's changelog, unconfirmed)", source: "epss v2026.06.15", as_of: at(-20) },
      { fact: "DSA-5801-1: openssl - security update", source: "DSA-5801-1", as_of: at(-50) },
    ],
    assets: [
      on(web1, libssl, stage("awaiting-approval", { report: REHEARSAL, reason: "its rehearsal passed and waits for approval, and it waits for 1 more signature of a key that web-1.example.org asks for: `tenon approve dir_2 --key FILE`" }), { undo: "proven", units: ["nginx.service", "ssh.service"], rehearsed_ms: 9_320, signatures: SIGNATURES }),
    ],
  }),
  directive(3, "nginx", "1.22.1-9+deb12u4", {
    closes: [],
    claims: ["CVE-2026-7347"],
    removes: "0.9",
    because: [{ fact: "the host's own repository offers this as a security update; no advisory that Tenon holds explains it", source: "the host's package manager", as_of: null }],
    assets: [
      on(web1, [target("nginx", "1.22.1-9+deb12u3", "1.22.1-9+deb12u4")], stage("rolled-back", { reason: "nginx.service was active before and is failed now", report: APPLY }), { undo: "proven", units: ["nginx.service"], rehearsed_ms: 5_100 }),
      on(web2, [target("nginx", "1.22.1-9+deb12u3", "1.22.1-9+deb12u4")], stage("applying", { order: "ord_19", report: REHEARSAL }), { undo: "proven", units: ["nginx.service"], rehearsed_ms: 5_000 }),
    ],
  }),
  directive(4, HOSTILE, "1.0-1<img src=x onerror=alert(2)>", {
    closes: ["CVE-2026-31337"],
    advisories: ["DSA-5900-1"],
    because: [{ fact: `DSA-5900-1: ${HOSTILE} - security update`, source: "DSA-5900-1", as_of: at(-400) }],
    assets: [on(web2, [target(HOSTILE, "0.9-1", "1.0-1")], stage("rehearsing", { order: "ord_20" }))],
  }),
  directive(5, "postgresql-15", "15.14-0+deb12u1", {
    group: "data",
    closes: ["CVE-2026-10977", "CVE-2026-10978"],
    advisories: ["DSA-5812-1"],
    decision: { table: "cisa-bod-26-04 1.0.0", row: 0, outcome: "fix on system upgrade", forensics: false, assumed: [], vulnerability: "CVE-2026-10977", inputs: [] },
    due: null,
    removes: "0.4",
    because: [{ fact: "DSA-5812-1: postgresql-15 - security update", source: "DSA-5812-1", as_of: at(-300) }],
    assets: [on(db, [target("postgresql-15", "15.13-0+deb12u1", "15.14-0+deb12u1")], stage("proposed"))],
  }),
];

const closed = [
  directive(6, "curl", "7.88.1-10+deb12u9", { assets: [on(web1, [target("curl", "7.88.1-10+deb12u8", "7.88.1-10+deb12u9")], stage("verified"))], closed: `fixed at ${at(-30)}`, ended: "fixed" }),
  directive(7, "bind9", "1:9.18.33-1~deb12u2", { assets: [], closed: `refused by anna: replaced by unbound next week at ${at(-70)}`, ended: "refused" }),
];

/** What a demonstration tells its visitor. */
export const DEMO = {
  now: at(300),
  pace: 60,
  part: 6,
  parts: 10,
  happens: "47 rehearsals passed, and one host could not be rehearsed. Nothing changes on any host before somebody approves it.",
  can: ["Look at the evidence of a rehearsal, then approve.", "Or refuse it."],
  directive: "dir_1",
  waits: true,
};

export const overview = (more = {}) => ({
  seq: 1204,
  time: at(-0.03),
  assets,
  queue,
  closed,
  closed_total: 2,
  feeds: [
    { name: "epss", changed: at(-20), as_of: at(-20), asked: at(-0.3), problem: null },
    { name: "kev", changed: at(-75), as_of: at(-75), asked: at(-0.3), problem: null },
    { name: "osv Debian:12 Debian:13", changed: at(-6), as_of: null, asked: at(-0.3), problem: "the last good copy is in use: connection timed out after 30 s" },
  ],
  ...more,
});

export const detail = (asset) => ({
  ...asset,
  offers: libssl,
  open: [
    { vulnerability: "CVE-2026-5535", advisory: "DSA-5801-1", source: "openssl", installed: "3.0.14-1~deb12u2", fixed: "3.0.15-1~deb12u1", state: "fix-offered", said: "fix offered: 3.0.15-1~deb12u1", opened: at(-50) },
    { vulnerability: "CVE-2025-0001", advisory: "CVE-2025-0001", source: "glibc", installed: "2.36-9+deb12u10", fixed: null, state: "no-fix", said: "no fix published", opened: at(-900) },
  ],
  said: [{ field: "exposure", value: "controlled", source: "derived from listeners and addresses" }],
  suppressed: [
    { vulnerability: "CVE-2026-8080", advisory: "DSA-5801-1", source: "openssl", installed: "3.0.14-1~deb12u2", fixed: null, state: "no-fix", said: "no fix published", opened: at(-40), reason: `not affected: ${HOSTILE}`, author: "Example Ltd", made: at(-48) },
  ],
  attacks: [],
  controls: [],
  accepted: [
    { vulnerability: "CVE-2026-7070", advisory: "DSA-5802-1", source: "nginx", installed: "1.22.1-9", fixed: "1.22.1-9+deb12u1", state: "fix-offered", said: "fix offered: 1.22.1-9+deb12u1", opened: at(-40), exception: "exc_1", until: at(24 * 30), owner: "head of shop", control: `the WAF drops it ${HOSTILE}` },
  ],
});

/** An attack that a sensor saw. */
export const detection = (more = {}) => ({
  id: "det_1",
  vulnerability: "CVE-2026-5535",
  state: "standing",
  kind: "attack",
  asset: assets[0].id,
  host: "web-1.example.org",
  zone: "dmz",
  zone_ppm: 100_000,
  estate_ppm: 20_000,
  seen: at(-2),
  reported: at(-2),
  until: at(24 * 30 - 2),
  what: `ET EXPLOIT inbound lookup in a header ${HOSTILE}`,
  sensor: "suricata on fw1",
  reference: "2034647",
  by: "edr",
  directives: ["dir_1"],
  ended: null,
  ended_by: null,
  ended_why: null,
  ...more,
});

/** A risk that somebody accepts. */
export const exception = (more = {}) => ({
  id: "exc_1",
  vulnerability: "CVE-2026-5535",
  state: "standing",
  assets: 21,
  hosts: ["web-1.example.org", HOSTILE],
  until: at(24 * 30),
  owner: "head of shop",
  control: `the WAF drops it ${HOSTILE}`,
  why: "the vendor certifies the update in March",
  by: "ada",
  granted: at(-48),
  since: at(-72),
  ended: null,
  ended_by: null,
  ended_why: null,
  ...more,
});

/** Where nobody set a policy. */
export const NO_POLICY = { version: 0, digest: null, text: null, rules: [], windows: [], freezes: [] };
export const PRESETS = [
  { name: "cautious", about: "two people approve", text: "version: 1\nrules:\n  - {name: all, approval: {people: 2}}\n" },
  { name: "fast", about: "all runs by itself", text: "version: 1\nrules:\n  - {name: all, approval: automatic}\n" },
];

/** A control that stands against one vulnerability before the web group. */
export const control = (more = {}) => ({
  id: "ctl_1",
  kind: "waf-rule",
  vulnerabilities: ["CVE-2026-5535"],
  vectors: ["network", "adjacent", "local", "physical"],
  leaves_ppm: 125_000,
  state: "standing",
  assets: 21,
  hosts: ["web-1.example.org", HOSTILE],
  until: at(24 * 30),
  owner: "head of shop",
  what: `rule 941 drops it ${HOSTILE}`,
  by: "ada",
  recorded: at(-48),
  ended: null,
  ended_by: null,
  ended_why: null,
  ...more,
});

export const reports = {
  [REHEARSAL]: {
    outcome: "passed",
    transaction: {
      steps: [
        { package: "libssl3", architecture: "amd64", change: "upgrade", from: "3.0.14-1~deb12u2", to: "3.0.15-1~deb12u1" },
        { package: "openssl", architecture: "amd64", change: "upgrade", from: "3.0.14-1~deb12u2", to: "3.0.15-1~deb12u1" },
        { package: "openssl-provider-legacy", architecture: "amd64", change: "install", to: "3.0.15-1~deb12u1" },
      ],
      kept_back: ["linux-image-amd64"],
    },
    files: [],
    class: "c3".repeat(32),
    conffile_conflicts: [],
    units: ["nginx.service", "ssh.service"],
    reboot: false,
    bytes_written: 6_410_000,
    duration_ms: 9_320,
    undo: { undo: "proven" },
    output: "Preparing to unpack .../libssl3_3.0.15-1~deb12u1_amd64.deb ...\nUnpacking libssl3:amd64 (3.0.15-1~deb12u1) over (3.0.14-1~deb12u2) ...\nSetting up libssl3:amd64 (3.0.15-1~deb12u1) ...\nSetting up openssl (3.0.15-1~deb12u1) ...\nProcessing triggers for libc-bin (2.36-9+deb12u10) ...\n",
  },
  [APPLY]: {
    outcome: "rolled-back",
    reason: "nginx.service was active before and is failed now",
    evidence: {
      package_manager_exit: 0,
      versions: [["nginx", "1.22.1-9+deb12u4"]],
      stale: [{ pid: 812, command: "nginx", unit: "nginx.service", file: "/usr/sbin/nginx" }],
      units: [
        { unit: "nginx.service", before: "active", after: "failed" },
        { unit: "ssh.service", before: "active", after: "active" },
      ],
      restarted: ["nginx.service"],
      reboot_pending: false,
      hooks: [
        { hook: "20-balancer", moment: "before", ended: "exited", code: 0, duration_ms: 2_100, output: "" },
        { hook: "20-balancer", moment: "undo", ended: "timed-out", after_s: 120, duration_ms: 120_000, output: "waiting for <b>lb1</b>\n" },
      ],
    },
    duration_ms: 48_200,
    output: "Setting up nginx (1.22.1-9+deb12u4) ...\nnginx: [emerg] unknown directive \"brotli\" in /etc/nginx/nginx.conf:14\n",
  },
};

/** An estate of so many directives and hosts: more than any page can hold. */
export function large(directives, hosts) {
  const group = (n) => `team-${n % 2}`;
  const queue = Array.from({ length: directives }, (_, index) => {
    const n = index + 1;
    const one = directive(n, `package-${String(n % 1_000).padStart(4, "0")}`, "2.0-1", { assets: [], due: at(n / 10), removes: `${(n * 7_919) % 1_000_003 === 0 ? 0 : n === directives - 1 ? 9_999_999 : (n * 7_919) % 1_000_003}.0` });
    return { ...one, group: group(n), asset_count: 3, stages: { proposed: 3 } };
  });
  const assets = Array.from({ length: hosts }, (_, n) => asset(n, `host-${String(n).padStart(6, "0")}`, { group: group(n) }));
  return overview({ assets, queue, closed: [], closed_total: 0 });
}

const gone = (n, hostname, retired) => asset(n, hostname, { retired: { at: at(-24 * n), by: null, superseded_by: null, ...retired } });

/** Hosts that are gone, each for another reason. */
export const retired = [
  gone(7, "web-3.example.org", { reason: "by-person", by: "ada", said: "switched off, ticket 4711" }),
  gone(8, "web-0.example.org", { reason: "superseded", superseded_by: assets[0].id, said: `its machine was installed anew and is web-1.example.org (${assets[0].id}) now` }),
  gone(9, HOSTILE, { reason: "silent", said: "silent for as long as rule spot of policy version 3 gives it" }),
];

const entry = (seq, kind, hours, said, by = null) => ({ seq, kind: `asset-${kind}`, time: at(hours), by, said, hash: "d4".repeat(32), blobs: [] });

/** What the record says of them, and of one that came back. */
export const log = [
  entry(1190, "retired", -24 * 7, "web-3.example.org retired: switched off, ticket 4711", "ada"),
  entry(1100, "returned", -24 * 8 + 1, "web-2.example.org was retired and reports again"),
  entry(1090, "retired", -24 * 8, "web-2.example.org retired: no longer needed", "bob"),
  entry(1040, "retired", -24 * 9, `${HOSTILE} retired: silent for as long as rule spot of policy version 3 gives it`),
];

/** Where a vulnerability stands in the little estate; of what nothing speaks that is said. */
export const exposure = (id, { assets, queue, exceptions = [], controls = [], detections = [] }) => {
  const directives = queue.filter((one) => one.closes.includes(id)).map((one) => one.id);
  const known = directives.length > 0 || id === "CVE-2025-0001";
  const here = assets.filter(({ findings }) => findings > 0);
  const open = directives.length > 0 ? here : [];
  const standing = { ecosystem: "Debian:12", source: "openssl", installed: "3.0.14-1~deb12u2", fixed: "3.0.15-1~deb12u1", state: "fix-offered", said: "the host is offered 3.0.15-1~deb12u1", assets: open.length + 30, hosts: [...open.map(({ hostname }) => hostname), HOSTILE] };
  const nothing = { id, known, since: null, advisories: [], in_kev: null, epss_ppm: null, epss_model: null, foreseen_ppm: null, foreseen_model: null, foreseen_as_of: null, cvss: null, open: 0, groups: {}, standing: [], suppressed: 0, accepted: 0, controls: [], exceptions: [], attacks: [], directives, answers: [], covered: 0, not_covered: assets.length };
  if (!known) return nothing;
  return {
    ...nothing,
    since: at(-50),
    advisories: ["DSA-5801-1"],
    in_kev: directives.length > 0 ? at(-20) : null,
    epss_ppm: directives.length > 0 ? 943_210 : null,
    epss_model: directives.length > 0 ? "v2025.03.14" : null,
    foreseen_ppm: directives.length > 0 ? 340 : null,
    foreseen_model: directives.length > 0 ? "five-2026-08-07" : null,
    foreseen_as_of: directives.length > 0 ? "2026-11-24T00:00:00Z" : null,
    cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    answers: queue.filter((one) => directives.includes(one.id)).map(({ id, title, group, source, version, decision, due, stages, assets }) => ({ id, title, group, source, version, outcome: decision.outcome, due, stages, assets: assets.length, hosts: assets.map(({ hostname }) => hostname) })),
    open: open.length,
    groups: open.length > 0 ? { web: 2, data: 30 } : {},
    standing: open.length > 0 ? [standing] : [],
    suppressed: open.length > 0 ? 1 : 0,
    accepted: exceptions.reduce((sum, one) => sum + one.assets, 0),
    controls,
    exceptions,
    attacks: detections,
    covered: 2,
    not_covered: 1,
  };
};

/** Entries of every sort, the newest first: two to a page of the stand-in. */
export const record = [
  { ...entry(1200, "closed", -1, "dir_1 closed: refused as not worth it", "ada"), kind: "directive-closed", directive: "dir_1", vulnerability: "CVE-2026-5535" },
  { ...entry(1195, "issued", -2, "order ord_7: web-1.example.org rehearses dir_1"), kind: "order-issued", asset: assets[0].id, directive: "dir_1" },
  { ...entry(1194, "issued", -2, "order ord_6 of web-1.example.org was not answered"), kind: "order-expired", asset: assets[0].id, directive: "dir_1" },
  { ...entry(1193, "issued", -2, "feed osv:Debian: 2 new or changed, 0 withdrawn"), kind: "advisories-changed" },
  { ...entry(1192, "issued", -3, `agent of ${HOSTILE} started`), kind: "agent-started" },
];

/** A moment two weeks ago, as the page asks for it, and the record as it stood then: one host, one thing to do, due the day after. */
export const THEN = at(-24 * 14);
export const then = () =>
  overview({
    seq: 1000,
    time: at(-24 * 14 - 0.1),
    assets: [{ ...web1, packages: 397, mode: "observe", reported: at(-24 * 14 - 1.5) }],
    queue: [directive(2, "openssl", "3.0.15-1~deb12u1", { due: at(-24 * 13), assets: [on(web1, libssl, stage("awaiting-approval", { report: REHEARSAL }), { undo: "proven", units: ["nginx.service"], rehearsed_ms: 9_320 })] })],
    closed: [],
    closed_total: 0,
    retired: [],
    feeds: [{ name: "kev", changed: at(-24 * 15), as_of: at(-24 * 15), asked: null, problem: null }],
  });

/** A line of what is open in the estate. */
export const open = (id, more = {}) => ({ id, exploited: false, attacked: 0, epss_ppm: 1_234, foreseen_ppm: 45, cvss: "7.5", assets: 40, not_offered: 0, no_fix: 0, points: "12.5", since: at(-24 * 3), ...more });

/** Somebody who is told what needs a person. */
export const addressee = (more = {}) => ({
  name: "on-call",
  host: "hooks.slack.com",
  form: "slack",
  about: ["approval", "urgent", "trouble"],
  groups: null,
  gather_seconds: 10,
  signed: false,
  behind: 0,
  waiting: 0,
  posts: 3,
  last: at(-2),
  problem: null,
  ...more,
});
