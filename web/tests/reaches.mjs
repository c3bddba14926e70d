// What Tenon answers about how far an attacker gets: from the Internet over a front to the inside, and a lab apart.
import { HOSTILE } from "./answers.mjs";

const step = (from, to, vulnerability, name, ports, hosts, host, threat) => ({ from, to, vulnerability, package: name, listens: ports.map((port) => `tcp ${port}`), hosts, host, threat });
const WEB = step("internet", "front", "CVE-2026-5535", "nginx", [443], 3, HOSTILE, 88_000);
const DB = step("front", "inside", "CVE-2026-23631", "postgresql", [5432], 1, "db-1", 9_800);
const exploit = ({ vulnerability, package: name, listens, hosts, threat }, delivered, loses) => ({ vulnerability, package: name, listens, hosts, delivered, threat, loses });

const zone = (name, entry, assets, [least, most], loses, path, exploits) => ({ name, entry, assets, reached: { least, most }, loses, path, exploits_in_all: exploits.length, exploits, hosts: Array.from({ length: Math.min(assets, 2) }, (_, at) => ({ id: `ast_${String(at + 1).padStart(32, "0")}`, name: `${name}-${at + 1}` })) });
const service = (name, more) => ({ name, team: null, criticality: null, depends_on: [], needed_by: [], assets: 0, hosts: [], derived: 0, unplaced: 0, zones: [], removes: "0.0", directives: 0, ...more });

/** As if in a zone, or from where attacks begin. */
export const reach = (seq, within = null) => ({
  generation: seq,
  assumed: false,
  within,
  unplaced: 2,
  loses: "128.4",
  zones_in_all: 4,
  zones: [
    zone("inside", 0, 1, [862, 5_685], "100.2", [WEB, DB], [exploit(DB, { least: 88_000, most: 93_000 }, "100.2")]),
    zone("front", 0, 3, [88_000, 88_000], "28.2", [WEB], [exploit(WEB, { least: 1_000_000, most: 1_000_000 }, "28.2")]),
    zone("internet", 1_000_000, 0, [1_000_000, 1_000_000], "0.0", [], []),
    zone("lab", 0, 4, [0, 0], "0.0", [], []),
  ],
  flows: [
    { from: "internet", to: "front", passes: ["tcp 80, 443"], takes: { least: 88_000, most: 88_000 } },
    { from: "front", to: "inside", passes: ["tcp 5432"], takes: { least: 9_800, most: 9_800 } },
    { from: "front", to: "lab", passes: ["udp 53"], takes: null },
  ],
  services_in_all: 3,
  services: [
    service("shop", { team: "web", criticality: "high", depends_on: ["orders", "mail"], assets: 3, derived: 2, unplaced: 0, removes: "28.2", directives: 2, hosts: [{ id: "ast_00000000000000000000000000000001", name: HOSTILE }], zones: [{ zone: "front", assets: 3, reached: { least: 88_000, most: 88_000 } }] }),
    service("orders", { criticality: "critical", needed_by: ["shop"], assets: 2, unplaced: 1, removes: "100.2", directives: 1, zones: [{ zone: "inside", assets: 1, reached: { least: 862, most: 5_685 } }] }),
    service("mail", { needed_by: ["shop"] }),
  ],
  choke_points: [{ from: "internet", to: "front", paths: 2, leaves: "0.0", saves: "128.4" }],
  closed: null,
});

/** What doing a directive takes. */
export const directiveReach = (seq) => ({
  generation: seq,
  assumed: false,
  unplaced: 1,
  loses: "128.4",
  loses_after: "30.1",
  saves: "98.3",
  zones: [
    { name: "front", reached: { least: 88_000, most: 88_000 }, reached_after: { least: 9_800, most: 9_900 }, loses: "28.2", loses_after: "3.1", own: true, path: [WEB] },
    { name: "inside", reached: { least: 862, most: 5_685 }, reached_after: { least: 862, most: 5_685 }, loses: "100.2", loses_after: "27.0", own: false, path: [WEB, DB] },
  ],
});

/** Of the first host; of the others nothing is known. */
export const assetReach = (seq, first) =>
  first
    ? {
        generation: seq,
        assumed: true,
        zone: "inside",
        reached: { least: 862, most: 5_685 },
        taken: { least: 862, most: 6_543 },
        path: [WEB, DB],
        findings_in_all: 1,
        findings: [{ vulnerability: "CVE-2026-23631", package: "postgresql", listens: ["tcp 5432"], needs_foothold: false, delivered: { least: 88_000, most: 93_000 }, threat: 9_800 }],
        blast: { loses: "12.400000", zones: [{ name: "inside", reached: { least: 1_000_000, most: 1_000_000 }, loses: "12.100000" }, { name: "stores", reached: { least: 9_000, most: 31_000 }, loses: "0.300000" }] },
      }
    : { generation: seq, assumed: true, zone: null, reached: null, taken: null, path: [], findings_in_all: 0, findings: [], blast: null };
