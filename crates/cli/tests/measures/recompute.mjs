// The measures of a record, counted again from its export by the definitions in docs/reference/measures.md: every case is kept, and
// nothing of this is shared with the program. Reads an export of `tenon log export`, prints JSON.
//
//   node recompute.mjs EXPORT FIRST_DAY LAST_DAY        days counted from 1970-01-01, both ends included

import { readFileSync } from "node:fs";

const [path, firstDay, lastDay] = process.argv.slice(2);
const [FIRST, LAST] = [Number(firstDay), Number(lastDay)];
const DAY = 86_400;
const inSpan = (second) => FIRST <= Math.floor(second / DAY) && Math.floor(second / DAY) <= LAST;
const lines = readFileSync(path, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const entries = lines.filter((line) => line.payload !== undefined);
const STEPS = ["promotion", "queue", "rehearsal", "approval", "turn", "change", "confirmation", "stop"];
const WAITS = { person: ["promotion", "approval", "stop"], machine: ["queue", "rehearsal", "change", "confirmation"], window: ["turn"] };

const assets = new Map(); // id -> { place, retired }
const places = []; // place -> id
const orders = new Map();
const directives = new Map();
const modes = new Map(); // group -> [[second, acts]]
const cases = []; // every one there ever was
const closed = [];
const changes = []; // { group, at, how }
const rehearsals = [];
let leaving = []; // cases that left by the cause that is read

function set(text) {
  if (Array.isArray(text)) return text.map((id) => assets.get(id).place);
  if (!text) return [];
  if (text.startsWith("roaring:")) throw new Error("this reads sets as runs only");
  return text.split(",").flatMap((run) => {
    const [from, to = from] = run.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}

/** Seconds of a proposed case in which its group could not act. */
function observing(group, from, to) {
  let seconds = 0;
  for (let at = 0, acts = false, list = modes.get(group) ?? [], n = 0; ; n += 1) {
    const next = n < list.length ? list[n][0] : Infinity;
    if (!acts) seconds += Math.max(0, Math.min(to, next) - Math.max(from, at));
    if (next === Infinity) return seconds;
    [at, acts] = list[n];
  }
}

function spend(one, now) {
  const time = now - one.entered;
  if (one.step === null) {
    const waits = observing(one.group, one.entered, now);
    one.spent.promotion += waits;
    one.spent.queue += time - waits;
  } else one.spent[one.step] += time;
  one.entered = now;
}

/** Whatever told that it was done and is left for anything but the proof was not confirmed. */
function goTo(one, step, now, proven = false) {
  if (one.step === "confirmation" && step !== "confirmation" && !proven) changes.push({ group: one.group, at: now, how: "unconfirmed" });
  spend(one, now);
  one.step = step;
}

const openIn = (group, name) => [...directives.values()].filter((d) => !d.closed && d.group === group && d.name === name);

function begin(directive, place, now) {
  const before = [...leaving.filter((one) => one.group === directive.group && one.name === directive.name && one.place === place)];
  for (const other of openIn(directive.group, directive.name)) {
    const one = other !== directive && other.cases.get(place);
    if (one) before.push(one);
  }
  leaving = leaving.filter((one) => !before.includes(one));
  const taken = before.length > 0;
  const since = taken ? Math.min(...before.map((one) => one.since)) : Math.max(directive.raised, Math.floor(now / 3600) * 3600);
  const one = { group: directive.group, name: directive.name, place, since, taken, from: now, entered: since, step: null, spent: Object.fromEntries(STEPS.map((step) => [step, 0])) };
  directive.cases.set(place, one);
  cases.push(one);
}

function end(one, how, ms, due) {
  Object.assign(one, { how, ended: Math.floor(ms / 1000), endedMs: ms, due });
}

/** No part of the directive any more: retired, taken over by another, or to be seen. */
function leave(directive, place, ms) {
  const now = Math.floor(ms / 1000);
  const one = directive.cases.get(place);
  if (!one) return;
  goTo(one, null, now);
  directive.cases.delete(place);
  one.left = now;
  if (assets.get(places[place]).retired) end(one, "retired", ms, directive.due);
  else if (openIn(directive.group, directive.name).some((other) => other.cases.has(place))) one.how = "moved";
  else leaving.push(Object.assign(one, { leftMs: ms, leftDue: directive.due }));
}

function settle() {
  for (const one of leaving) end(one, "withdrawn", one.leftMs, one.leftDue);
  leaving = [];
}

function join(directive, wants, now) {
  for (const { want, assets: text } of wants ?? []) {
    const targets = JSON.stringify(want.targets);
    for (const place of set(text)) {
      const member = directive.members.get(place);
      const busy = member && (member.stage === "rehearsal" || member.stage === "change");
      if (member && member.stage !== null && member.stage !== "done" && !busy && member.targets !== targets) {
        member.stage = null;
        const one = directive.cases.get(place);
        if (one) goTo(one, null, now);
      }
      const stage = member && member.stage !== "done" ? member.stage : null;
      directive.members.set(place, { targets, stage });
      if (!directive.cases.has(place)) begin(directive, place, now);
    }
  }
}

const MILESTONES = { approval: 0, turn: 1, confirmation: 2 };

function stage(id, place, step, ms) {
  const directive = directives.get(id);
  const member = directive.members.get(place);
  if (!member) return;
  member.stage = step;
  const now = Math.floor(ms / 1000);
  if (directive.closed) return;
  if (!directive.cases.has(place)) begin(directive, place, now);
  goTo(directive.cases.get(place), step, now);
  if (step in MILESTONES) directive.milestones[MILESTONES[step]] ??= now;
}

const CONSEQUENCES = ["directive-raised", "directive-changed", "directive-closed", "asset-verified", "order-issued"];
let now = 0;
let nowMs = 0;
for (const { time_ms: ms, payload } of entries) {
  const event = JSON.parse(payload);
  nowMs = ms;
  now = Math.floor(ms / 1000);
  if (!CONSEQUENCES.includes(event.event)) settle();
  switch (event.event) {
    case "asset-enrolled":
      assets.set(event.asset, { place: places.length, retired: false });
      places.push(event.asset);
      break;
    case "asset-retired":
    case "asset-returned":
      assets.get(event.asset).retired = event.event === "asset-retired";
      break;
    case "group-promoted":
    case "group-demoted":
      modes.set(event.group, [...(modes.get(event.group) ?? []), [now, event.event === "group-promoted"]]);
      break;
    case "directive-raised": {
      const { group, source, priority } = event.directive;
      const directive = { id: event.id, group, name: source.name, due: priority.due, raised: now, members: new Map(), cases: new Map(), milestones: [null, null, null], closed: null };
      directives.set(event.id, directive);
      join(directive, event.wants, now);
      break;
    }
    case "directive-changed": {
      const directive = directives.get(event.id);
      const due = event.priority ? event.priority.due : directive.due;
      directive.due = due;
      for (const place of set(event.left)) {
        directive.members.delete(place);
        leave(directive, place, ms);
      }
      join(directive, event.joined, now);
      break;
    }
    case "directive-closed": {
      const directive = directives.get(event.id);
      directive.closed = { how: event.outcome, ms };
      for (const [place, one] of [...directive.cases]) {
        if (event.outcome !== "refused") leave(directive, place, ms);
        else {
          goTo(one, null, now);
          end(one, "refused", ms, directive.due);
        }
      }
      closed.push({ directive, how: event.outcome, at: now, ms });
      directive.cases.clear();
      break;
    }
    case "order-issued": {
      const { order } = event;
      orders.set(order.id, order);
      // To hand over evidence is nothing of the change: it waits for its turn meanwhile.
      if (order.action === "preserve-evidence") break;
      const place = assets.get(order.asset).place;
      const approved = directives.get(order.directive).members.get(place)?.stage === "turn";
      stage(order.directive, place, order.action === "apply" && approved ? "change" : "rehearsal", ms);
      break;
    }
    case "rehearsal-recorded": {
      const order = orders.get(event.order);
      const directive = directives.get(order.directive);
      const place = assets.get(order.asset).place;
      rehearsals.push({ group: directive.group, at: now, how: event.outcome });
      const same = directive.members.get(place)?.targets === JSON.stringify(order.targets);
      stage(order.directive, place, !same ? null : event.outcome === "passed" ? "approval" : "stop", ms);
      break;
    }
    case "directive-approved":
    case "approved-by-policy":
      for (const [asset] of event.rehearsals) stage(event.id, assets.get(asset).place, "turn", ms);
      break;
    case "retry-requested":
      stage(event.id, assets.get(event.asset).place, null, ms);
      break;
    case "apply-recorded": {
      const order = orders.get(event.order);
      if (event.outcome !== "verified") changes.push({ group: directives.get(order.directive).group, at: now, how: event.outcome.replace("-", "_") });
      stage(order.directive, assets.get(order.asset).place, event.outcome === "verified" ? "confirmation" : "stop", ms);
      break;
    }
    case "order-expired": {
      const order = orders.get(event.order);
      if (order.action === "preserve-evidence") break;
      const of = order.action === "apply" ? changes : rehearsals;
      of.push({ group: directives.get(order.directive).group, at: now, how: "silent" });
      stage(order.directive, assets.get(order.asset).place, "stop", ms);
      break;
    }
    case "asset-verified": {
      const directive = directives.get(event.id);
      const place = assets.get(event.asset).place;
      const one = directive.cases.get(place);
      const verified = directive.members.get(place).stage === "confirmation";
      directive.members.get(place).stage = "done";
      goTo(one, null, now, verified);
      end(one, verified ? "verified" : "fixed_otherwise", ms, directive.due);
      one.left = now;
      if (verified) changes.push({ group: one.group, at: now, how: "verified" });
      directive.cases.delete(place);
      break;
    }
    case "directive-revised":
    case "history-cut":
      throw new Error(`this reads no ${event.event}`);
  }
}
settle();

/** Fixed buckets: a second wide below 32 s, above 16 in each doubling; what is told is the middle. */
function middle(seconds) {
  if (seconds < 32) return seconds;
  const width = 2 ** (Math.floor(Math.log2(seconds)) - 4);
  return Math.floor(seconds / width) * width + width / 2;
}

function durations(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (part) => (sorted.length ? middle(sorted[Math.ceil(sorted.length * part - 1e-9) - 1]) : null);
  return { count: sorted.length, seconds: sorted.reduce((sum, one) => sum + one, 0), median_seconds: at(0.5), p90_seconds: at(0.9) };
}

const share = (part, of) => ({ part, of });
const counted = (list, names) => Object.fromEntries(names.map((name) => [name, list.filter((one) => one.how === name).length]));

/** Kaplan and Meier over the buckets: exact, by fractions of whole numbers. */
function halfLife(of) {
  const time = (one) => middle((one.ended ?? now) - one.since);
  const done = (one) => one.how === "verified" || one.how === "fixed_otherwise";
  const times = [...new Set(of.filter(done).map(time))].sort((a, b) => a - b);
  let [top, bottom, seconds] = [1n, 1n, null];
  for (const at of times) {
    const atRisk = of.filter((one) => time(one) >= at).length;
    const gone = of.filter((one) => done(one) && time(one) === at).length;
    [top, bottom] = [top * BigInt(atRisk - gone), bottom * BigInt(atRisk)];
    if (seconds === null && top * 2n <= bottom) seconds = at;
  }
  const ended = of.filter((one) => one.how && !done(one)).length;
  return { seconds, cases: of.length, done: of.filter(done).length, ended, open: of.filter((one) => !one.how).length };
}

function figures(is) {
  const all = cases.filter((one) => is(one.group));
  const kept = all.filter((one) => one.how !== "moved" && !(one.left !== undefined && one.how === undefined));
  const open = kept.filter((one) => one.how === undefined);
  const ended = kept.filter((one) => one.how !== undefined && inSpan(one.ended));
  const verified = ended.filter((one) => one.how === "verified");
  const openDirectives = [...directives.values()].filter((d) => is(d.group) && !d.closed);
  const overdue = openDirectives.filter((d) => d.due !== null && d.due < nowMs);
  const overdueCases = overdue.flatMap((d) => [...d.cases.values()].map((one) => ({ one, due: d.due })));
  const dueIn = (due) => due !== null && due !== undefined && inSpan(Math.floor(due / 1000));
  const isDone = (one) => one.how === "verified" || one.how === "fixed_otherwise";
  const due = kept.filter((one) => one.how && dueIn(one.due));
  const met = due.filter((one) => isDone(one) && one.endedMs <= one.due).length;
  const missed = due.filter((one) => one.endedMs > one.due).length + overdueCases.filter(({ due }) => dueIn(due)).length;
  const ends = closed.filter(({ directive }) => is(directive.group));
  const dueEnds = ends.filter(({ directive }) => dueIn(directive.due));
  const dMet = dueEnds.filter(({ directive, how, ms }) => how === "fixed" && ms <= directive.due).length;
  const dMissed = dueEnds.filter(({ directive, ms }) => ms > directive.due).length + overdue.filter((d) => dueIn(d.due)).length;
  const of = (list) => list.filter((one) => is(one.group) && inSpan(one.at));
  const [ch, re] = [of(changes), of(rehearsals)];
  // As long as each was open inside the span: from the event that began it, or took it over.
  const [from, to] = [FIRST * DAY, Math.min(now, (LAST + 1) * DAY)];
  const exposed = all.reduce((sum, one) => sum + Math.max(0, Math.min(one.left ?? one.ended ?? to, to) - Math.max(one.from, from)), 0);
  const fixed = ends.filter(({ how, at }) => how === "fixed" && inSpan(at));
  const through = fixed.filter(({ directive }) => directive.milestones.every((at) => at !== null));
  const ways = through.map(({ directive: d, at }) => [d.raised, ...d.milestones, at].map((time, n, list) => time - list[n - 1]).slice(1));
  const step = (name) => durations(verified.map((one) => one.spent[name]));
  return {
    cases: {
      begun: all.filter((one) => !one.taken && inSpan(one.from)).length,
      ...counted(ended, ["verified", "fixed_otherwise", "refused", "retired", "withdrawn"]),
      open: open.length,
    },
    remediation: durations(verified.map((one) => one.ended - one.since)),
    steps: STEPS.map((name) => ({ step: name, ...step(name) })),
    waited_for: Object.entries(WAITS).map(([waits_for, steps]) => ({ waits_for, seconds: steps.reduce((sum, name) => sum + step(name).seconds, 0) })),
    half_life: halfLife(kept.filter((one) => inSpan(one.since))),
    sla: share(met, met + missed),
    sla_directives: share(dMet, dMet + dMissed),
    overdue: share(overdueCases.length, open.length),
    overdue_directives: overdue.length,
    change_success: share(ch.filter((one) => one.how === "verified").length, ch.length),
    changes: counted(ch, ["verified", "rolled_back", "failed", "refused", "silent", "unconfirmed"]),
    foretold: share(re.filter((one) => one.how === "failed").length, re.filter((one) => one.how === "failed" || one.how === "passed").length),
    rehearsals: { ...counted(re, ["passed", "failed", "silent"]), not_rehearsed: re.filter((one) => one.how === "not-rehearsed").length },
    exposure: { seconds: exposed },
    directives: durations(fixed.map(({ directive, at }) => at - directive.raised)),
    directive_steps: ["rehearsed", "approved", "changed", "fixed"].map((milestone, n) => ({ milestone, ...durations(ways.map((way) => way[n])) })),
    closings: counted(ends.filter(({ at }) => inSpan(at)), ["fixed", "superseded", "withdrawn", "refused"]),
  };
}

const groups = [...new Set(cases.map((one) => one.group))].sort();
process.stdout.write(JSON.stringify({ whole: figures(() => true), groups: groups.map((group) => ({ group, ...figures((of) => of === group) })) }));
