// What the server tells of policies over history.

export const NO_HISTORY = { history: null, problem: null, policies: [], most: 8 };

const policy = (policy, usual = true, records = false) => ({ policy, flags: `What ${policy} flags.`, usual, records });

export const HISTORY = {
  history: { first: "2024-03-30", last: "2026-07-05", days: 125, model_from: "2024-07-01", records: false },
  problem: null,
  policies: [policy("in-force"), policy("cvss>=7", true, true), policy("epss>=0.1"), policy("kev"), policy("model-top=1%"), policy("epss-top=1%", false)],
  most: 8,
};

const percent = (part, whole) => (whole === 0 ? null : ((part / whole) * 100).toFixed(3));

const counts = (eligible, flagged, true_positives, positives, listed) => ({
  eligible,
  flagged,
  true_positives,
  positives,
  unscored_positives: listed - positives,
  listed,
  effort_percent: percent(flagged, eligible),
  coverage_percent: percent(true_positives, positives),
  coverage_of_all_percent: percent(true_positives, listed),
  efficiency_percent: percent(true_positives, flagged),
});

const HALVES = ["2024 H2", "2025 H1", "2025 H2", "2026 H1"];

/** A policy that flags this share of 250,000 CVEs a day, and had so many of the 10 a day that could be flagged. */
function replayed(name, effort, hits, said = null) {
  const over = (days, had) => counts(250_000 * days, Math.round(250_000 * days * effort), Math.round(had * days), 10 * days, 17 * days);
  return {
    policy: name,
    flags: `What ${name} flags.`,
    total: over(100, hits),
    by_epss_model: [{ name: "v2023.03.01", days: 40, counts: over(40, hits * 0.8) }, { name: "v2025.03.14", days: 60, counts: over(60, hits * 1.1) }],
    by_half_year: HALVES.map((half, at) => ({ name: half, days: 25, counts: over(25, hits * (0.8 + at * 0.1)) })),
    said,
  };
}

const KNOWN = { "epss>=0.1": [0.06, 3.5], kev: [0, 0], "model-top=1%": [0.01, 4.1], "epss-top=1%": [0.01, 1.6], "cvss>=7": [0.16, 1.8], ssvc: [0.009, 0.3], "bod-26-04": [0.068, 1.1], "model>=0.001": [0.0036, 2.9] };
const FILES = { "in-force": "policy in force, version 3", draft: "draft" };

/** What came of it. */
export const result = ({ policies, from = "2024-07-01", to = "2026-07-31" }) => ({
  from,
  to,
  first: "2024-07-06",
  last: "2026-07-05",
  days: 100,
  left_out: 3,
  horizon_days: 30,
  digest: "0123456789abcdef".repeat(4),
  model: "five-restated-2026-08-07",
  unread_lines: 0,
  policies: policies.map((name) =>
    name in FILES
      ? replayed(FILES[name], 0.02, 2, { automatic: 50_000, people: 100_000, forbidden: 0, undecided: 5_000_000, emergency: 0, missing: ["decision.row"] })
      : replayed(name, ...(KNOWN[name] ?? [0.05, 2])),
  ),
});

export const underway = (state, number, of) => ({ state, number, of, result: null });
export const done = (asked) => ({ state: "done", number: 0, of: 0, result: result(asked) });
