// A stand-in for Tenon: the built page under the same headers, canned answers, and a record of what was asked.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

import { NO_POLICY, PRESETS, detail, exposure, findingWhy, moves, overview, reports, why } from "./answers.mjs";
import { done, NO_HISTORY } from "./backtests.mjs";
import { assetReach, directiveReach, reach } from "./reaches.mjs";

/** What the API once answered: the tests of the command line show the same. */
const MEASURES = JSON.parse(await readFile(new URL("../../crates/cli/tests/measures/view.json", import.meta.url), "utf8"));
const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const KINDS = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

/** Keep equal to the server's own. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

export const TOKEN = "operator-token-of-the-test";
/** The secret of the one session that this stand-in begins. */
const SESSION = "tenon_session=session-of-the-test";

export class StandIn {
  overview = overview();
  /** The record as it stood: an overview by what is asked for; of anything else there is no record. */
  past = {};
  /** Hosts that are gone, of now; those of then stand in the overview of then. */
  retired = [];
  /** Entries of the record, the newest first; null where it cannot be read. */
  log = [];
  measures = MEASURES;
  /** What exposure did, in place of the usual. */
  trend = null;
  messages = [];
  /** How directives were asked for. */
  queries = [];
  /** What is open, and how it was asked for. */
  open = [];
  opens = [];
  /** As if in which zones it was asked how far an attacker gets. */
  within = [];
  /** Who is signed in by the session's cookie. */
  who = { id: "usr_1", name: "ada", roles: ["admin"], rights: ["read", "assess", "discuss", "operate", "approve", "investigate", "audit", "administer"], via: "session" };
  /** Ended: the cookie is of no more use. */
  ended = false;
  /** Every write: path, headers, body. */
  writes = [];
  /** What is wrong with a policy, and what it would change. */
  checks = () => ({ problems: [], total: 0 });
  previews = (text) => ({ version: this.overview.policy?.version ?? 0, same: text === this.overview.policy?.text, as_of: new Date().toISOString(), changed: 0, approved_at_once: 0, directives: [] });
  /** Which history there is, what was asked to be replayed, and what is answered to it. */
  backtest = NO_HISTORY;
  replays = [];
  replay = done;
  /** Paths of every request, in order. */
  asked = [];
  /** As of when each was asked: its path and, where it said so, the moment. */
  moments = [];
  /** Answers about moments wait for this. */
  making = Promise.resolve();
  /** Answers the next write with this status and body. */
  refuseNext = null;
  #streams = new Set();
  #server = createServer((request, response) => void this.#answer(request, response));
  #port = 0;

  async start() {
    await new Promise((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = this.#server.address().port;
    return this;
  }

  get address() {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Gone, as when Tenon is stopped. `start` brings it back under the same address. */
  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#streams.clear();
    await closed;
  }

  /** The record moved on: tell every page. */
  moved(change, facets = ["assets", "queue", "feeds", "context"]) {
    this.overview = { ...this.overview, ...change, seq: this.overview.seq + 1 };
    for (const stream of this.#streams) stream.write(generation(this.overview.seq, facets));
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.address);
    this.asked.push(pathname);
    if (pathname.startsWith("/api/")) this.moments.push([pathname, searchParams.get("as_of")]);
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const signedIn = !this.ended && (request.headers.cookie ?? "").includes(SESSION);
    if (pathname === "/sign-in") return plain(response, "Sign in");
    if (pathname === "/board") return plain(response, "Better or worse");
    if (pathname === "/api/v1/session") return this.#session(request, response, signedIn);
    if (pathname.startsWith("/api/") && !signedIn) return json(response, 401, { code: "not-signed-in", detail: "sign in" });
    if (request.method === "POST") return this.#write(request, response, pathname);
    if (pathname === "/api/v1/events") return this.#stream(request, response);
    if (pathname === "/api/v1/log" && this.log === null) return json(response, 500, { code: "journal-failed" });
    if (pathname === "/api/v1/log") return json(response, 200, this.#log(searchParams));
    const moment = pathname.startsWith("/api/") ? searchParams.get("as_of") : null;
    if (moment !== null) await this.making;
    const world = moment === null ? this.overview : this.past[moment];
    if (!world) return json(response, 422, { code: "no-such-time", detail: `the record begins at 2026-11-01T06:00:00Z, after ${moment}: ask for that time or a later one` });
    if (pathname === "/api/v1/overview") return json(response, 200, totals(world));
    if (pathname === "/api/v1/directives") return json(response, 200, this.#directives(world, searchParams));
    if (pathname === "/api/v1/assets") return json(response, 200, this.#assets(world, searchParams));
    if (pathname === "/api/v1/trend") return json(response, 200, this.trend ?? trend(Number(searchParams.get("days"))));
    if (pathname === "/api/v1/risk") return json(response, 200, this.risk ?? risk(Number(searchParams.get("days"))));
    if (pathname === "/api/v1/measures") return json(response, 200, this.measures);
    if (pathname === "/api/v1/vulnerabilities") {
      this.opens.push(searchParams.toString());
      return json(response, 200, vulnerabilities(this.overview.seq, this.open, searchParams));
    }
    if (pathname === "/api/v1/messages") return json(response, 200, { generation: world.seq, items: this.messages });
    if (pathname === "/api/v1/backtest") return json(response, 200, this.backtest);
    if (pathname === "/api/v1/gaps") return json(response, 200, gaps(world.assets));
    if (pathname === "/api/v1/reach") {
      this.within.push(searchParams.get("within"));
      return json(response, 200, reach(world.seq, searchParams.get("within")));
    }
    const [, reached] = /^\/api\/v1\/assets\/(\w+)\/reach$/.exec(pathname) ?? [];
    if (reached) return json(response, 200, assetReach(world.seq, world.assets[0]?.id === reached));
    if (pathname === "/api/v1/policy") return json(response, 200, world.policy ?? NO_POLICY);
    if (pathname === "/api/v1/policy/presets") return json(response, 200, PRESETS);
    if (pathname === "/api/v1/rules") return json(response, 200, world.rules ?? { table: "bod-26-04", clocks: ["bod-26-04"] });
    if (pathname === "/api/v1/regulations") return json(response, 200, world.regulations ?? []);
    if (pathname === "/api/v1/controls") return json(response, 200, listed(world.controls ?? [], searchParams));
    if (pathname === "/api/v1/exceptions") return json(response, 200, listed(world.exceptions ?? [], searchParams));
    if (/^\/api\/v1\/directives\/dir_\d+\/reach$/.test(pathname)) return json(response, 200, directiveReach(world.seq));
    const [, named] = /^\/api\/v1\/directives\/(dir_\d+)$/.exec(pathname) ?? [];
    const directive = [...world.queue, ...world.closed].find(({ id }) => id === named);
    if (directive) return json(response, 200, whole(directive, world.assets));
    if (named) return json(response, 404, { code: "not-found", detail: `${named} is unknown` });
    const [, vulnerability] = /^\/api\/v1\/vulnerabilities\/([\w-]+)$/.exec(pathname) ?? [];
    if (vulnerability) return json(response, 200, exposure(vulnerability, world));
    const [, on, about] = /^\/api\/v1\/assets\/(\w+)\/vulnerabilities\/([\w-]+)\/why$/.exec(pathname) ?? [];
    if (on) return json(response, 200, findingWhy(on, world.assets.find(({ id }) => id === on)?.hostname, about));
    const [, kind, id] = /^\/api\/v1\/(assets|reports)\/(\w+)$/.exec(pathname) ?? [];
    if (kind === "assets") return json(response, 200, detail([...world.assets, ...(world.retired ?? this.retired)].find((asset) => asset.id === id)));
    if (kind === "reports" && reports[id]) return json(response, 200, reports[id]);
    if (/^\/api\/v1\/directives\/dir_1\/why$/.test(pathname)) return json(response, 200, this.why ?? why);
    if (/^\/api\/v1\/directives\/dir_\d+\/moves$/.test(pathname)) return json(response, 200, this.moves ?? moves());
    if (pathname.startsWith("/api/")) return json(response, 404, { code: "not-found", detail: "no such path" });
    const file = pathname === "/" ? "/index.html" : pathname;
    try {
      const content = await readFile(DIST + file);
      response.setHeader("content-type", KINDS[extname(file)] ?? "application/octet-stream");
      response.end(content);
    } catch {
      json(response, 404, { code: "not-found", detail: "no such path" });
    }
  }

  #directives({ queue, closed, seq }, query) {
    const all = query.get("state") === "closed" ? closed : queue;
    const [text, group] = [(query.get("q") ?? "").toLowerCase(), query.get("group")];
    const like = ({ id, source, version, closes, group: of, closed }) => [id, source, version, of, closed ?? "", ...closes].some((said) => said.toLowerCase().includes(text));
    const [outcome, due, ended, assignee] = ["outcome", "due", "ended", "assignee"].map((name) => query.get(name));
    const doer = (one) => one.assignee?.person ?? "nobody";
    const soon = (one) => one.due !== null && Date.parse(one.due) < Date.now() + (due === "overdue" ? 0 : parseInt(due, 10)) * 86_400_000;
    const found = all.filter((one) => (!text || like(one)) && (!group || one.group === group) && (!outcome || one.decision.outcome === outcome) && (!due || soon(one)) && (!ended || one.ended === ended) && (!assignee || doer(one) === (assignee === "me" ? this.who.name : assignee)));
    if (query.get("sort") === "removes") found.sort((a, b) => b.removes - a.removes);
    const removes = found.reduce((sum, one) => sum + Number(one.removes), 0).toFixed(1);
    this.queries.push(query.toString());
    const told = parts(query.get("group_by"), found);
    // As the server gives them: part by part, each in the order that was asked for.
    const apart = told === null ? found : told.flatMap(({ all }) => all);
    return { ...page(query, apart, seq, line), totals: query.has("state") ? null : { groups: {}, outcomes: {}, assignees: {}, due: {}, removes, assets: 0 }, parts: told?.map(({ all, ...part }) => part) ?? null };
  }

  #assets({ assets, retired = this.retired, seq }, query) {
    const of = query.get("retired") === "true" ? retired : assets;
    const [text, group] = [(query.get("q") ?? "").toLowerCase(), query.get("group")];
    const found = of.filter((one) => one.hostname.includes(text) && (!group || one.group === group));
    return page(query, found, seq, (asset) => asset);
  }

  /** Two entries to a page, so that one looks further back. */
  #log(query) {
    const [kind, until, cursor] = ["kind", "until", "cursor"].map((name) => query.get(name));
    const before = cursor ? Number(cursor.slice(1)) : Number.POSITIVE_INFINITY;
    const about = ["asset", "directive", "vulnerability"].filter((name) => query.has(name));
    const passes = (entry) => entry.kind.startsWith(kind ?? "") && (!until || Date.parse(entry.time) < Date.parse(until)) && about.every((name) => entry[name] === query.get(name));
    const found = this.log.filter((entry) => passes(entry) && entry.seq < before);
    const items = found.slice(0, 2);
    return { generation: this.overview.seq, items, next: found.length > 2 ? `e${items[1].seq}` : null };
  }

  #session(request, response, signedIn) {
    if (request.method === "POST") {
      const known = request.headers.authorization === `Bearer ${TOKEN}`;
      if (!known) return json(response, 401, { code: "not-signed-in", detail: "this token begins no session" });
      response.setHeader("set-cookie", `${SESSION}; Path=/; HttpOnly; SameSite=Strict`);
    } else if (!signedIn) {
      return json(response, 401, { code: "not-signed-in", detail: "sign in" });
    } else if (request.method === "GET") {
      return json(response, 200, this.who);
    } else {
      this.ended = true;
    }
    response.statusCode = 204;
    response.end();
  }

  #stream(request, response) {
    response.setHeader("content-type", "text/event-stream");
    response.write(generation(this.overview.seq, ["assets", "queue", "feeds", "context"]));
    this.#streams.add(response);
    request.on("close", () => this.#streams.delete(response));
  }

  async #write(request, response, pathname) {
    let text = "";
    for await (const part of request) text += part;
    // Asked about a text, and nothing is written.
    if (pathname === "/api/v1/policy/check") return json(response, 200, this.checks(JSON.parse(text).text));
    if (pathname === "/api/v1/policy/preview") return json(response, 200, this.previews(JSON.parse(text).text));
    if (pathname === "/api/v1/backtest") {
      const asked = JSON.parse(text);
      this.replays.push(asked);
      const answer = this.replay(asked, this.replays.length);
      return json(response, answer.status ?? 200, answer.body ?? answer);
    }
    this.writes.push({ path: pathname, headers: request.headers, body: text === "" ? null : JSON.parse(text) });
    if (!request.headers["x-tenon-request"]) return json(response, 403, { code: "foreign-origin", detail: "a page elsewhere sent this" });
    if (this.refuseNext) {
      const { status, body } = this.refuseNext;
      this.refuseNext = null;
      return json(response, status, body);
    }
    json(response, 200, { seq: this.overview.seq + 1, repeated: false });
  }
}

/** What needs a person first. */
const STAGES = ["needs-person", "failed", "rolled-back", "awaiting-approval", "applying", "approved", "rehearsing", "proposed", "applied", "verified", "fixed-otherwise"];

/** What directives come to, told apart; the largest loss first, or in an order that is fixed. */
function parts(by, found) {
  const of = { group: (one) => one.group, outcome: (one) => one.decision.outcome, package: (one) => one.source, assignee: (one) => one.assignee?.person ?? "nobody", stage: (one) => STAGES.find((stage) => one.stages[stage] > 0) ?? "proposed", due: (one) => (one.due === null ? "no-date" : Date.parse(one.due) < Date.now() ? "overdue" : "later") }[by];
  if (!of) return null;
  const named = new Map();
  for (const one of found) named.set(of(one), [...(named.get(of(one)) ?? []), one]);
  const sum = (all, value) => all.reduce((sum, one) => sum + value(one), 0);
  const told = [...named].map(([name, all]) => ({ name, directives: all.length, assets: sum(all, (one) => one.asset_count), removes: sum(all, (one) => Number(one.removes)).toFixed(1), due: all.map((one) => one.due).filter((due) => due !== null).sort()[0] ?? null, all }));
  const order = { stage: STAGES, due: ["overdue", "later", "no-date"] }[by];
  return told.sort((a, b) => (order ? order.indexOf(a.name) - order.indexOf(b.name) : b.removes - a.removes));
}

/** Exceptions as the API gives them. */
const listed = (all, query) => ({ items: all.slice(0, Number(query.get("limit"))), total: all.length });

/** A window of a list, as the API gives it. */
function page(query, all, generation, view) {
  const [from, limit] = [Number(query.get("from") ?? 0), Number(query.get("limit") ?? 100)];
  return { generation, total: all.length, from, items: all.slice(from, from + limit).map(view), next: null };
}

/** A directive as a line of a list. */
function line(directive) {
  const { id, title, group, source, version, closes, claims, because, decision, due, removes, asset_count, stages, assets, raised, closed, assignee, disputed, thread } = directive;
  const [first] = assets;
  return {
    id, title, group, source, version, due, removes, asset_count, stages, raised, closed, assignee, disputed, notes: thread.length,
    closes: closes.slice(0, 8),
    closes_count: closes.length,
    claims_count: claims.length,
    exploited: because.some((basis) => basis.source === "kev"),
    attacked: directive.attacks.length,
    outcome: decision.outcome,
    row: decision.row,
    first: first ? { hostname: first.hostname, stage: first.stage.name, reason: first.stage.reason } : null,
  };
}

/** A directive with what is said of its group and its hosts. */
function whole(directive, assets) {
  const mode = assets.find((asset) => asset.group === directive.group)?.mode ?? "observe";
  const on = directive.assets.map((one) => ({ ...one, observe_only: assets.find(({ id }) => id === one.id)?.observe_only ?? null }));
  return { ...directive, mode, assets: on };
}

function totals({ seq, time, assets, queue, closed_total: closed, feeds, demo = null }) {
  const names = [...new Set(assets.map((asset) => asset.group))].sort();
  const groups = names.map((name) => {
    const of = assets.filter((asset) => asset.group === name);
    return { name, mode: of[0].mode, assets: of.length };
  });
  return { seq, time, assets: assets.length, groups, open: queue.length, closed, feeds, demo };
}

/** Half way through the span hosts enrol; two days later something gets worse; on the last day something is done. */
function trend(count) {
  const moves = (at) => ({ newly_seen: at === Math.floor(count / 2) ? 400 : 0, got_worse: at === Math.floor(count / 2) + 2 ? 60 : 0, got_better: 0, done: at === count - 1 ? 25.5 : 0, refused: 0, accepted: 0, retired: 0 });
  let [exposure, like_for_like] = [200, 200];
  const days = Array.from({ length: count }, (_, at) => {
    const { newly_seen, got_worse, done } = moves(at);
    exposure += newly_seen + got_worse - done;
    like_for_like += got_worse - done;
    const told = Object.fromEntries(Object.entries({ exposure, like_for_like, ...moves(at) }).map(([name, value]) => [name, value.toFixed(1)]));
    return { day: new Date(Date.now() - (count - 1 - at) * 86_400_000).toISOString().slice(0, 10), ...told };
  });
  return { generation: 1, days };
}

function risk(days) {
  const day = new Date().toISOString().slice(0, 10);
  const moved = [
    { seq: 1204, day, points: "60.0", kind: "intel-changed", said: "KEV: 1 vulnerability changed, as of 2026-11-24T00:00:00Z", by: null },
    { seq: 1311, day, points: "-25.5", kind: "inventory-changed", said: "web1 reported what changed, report 7: 1 package came, 1 went", by: null },
    { seq: 1190, day, points: "8.25", kind: "reach-assessed", said: "attackers get otherwise into 2 zones; into dmz with at most 9.94% within 30 days, before 8.80%", by: null },
  ];
  return { generation: 1, of: null, assets: 3, directives: 5, points: "634.5", whole: "634.5", days, before: "200.0", like_for_like: "234.5", groups: [], moved };
}

function gaps(assets) {
  const said = (kind, of) => assets.flatMap((asset) => of(asset).map((said) => ({ kind, said, assets: 1, named: [asset.hostname] })));
  const items = [
    ...said("not-assessed", (asset) => asset.not_assessed),
    ...said("not-known", (asset) => asset.gaps),
    ...said("observe-only", (asset) => (asset.observe_only ? [asset.observe_only] : [])),
  ];
  const not_whole = assets.filter((asset) => asset.not_assessed.length + asset.gaps.length > 0).length;
  return { generation: 1, total: items.length, assets: assets.length, not_whole, items, next: null };
}

const generation = (at, facets) => `event: generation\ndata: ${JSON.stringify({ generation: at, facets })}\n\n`;

function plain(response, title) {
  response.setHeader("content-type", KINDS[".html"]);
  response.end(`<!doctype html><title>${title}</title><h1>${title}</h1>`);
}

function json(response, status, body) {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

/** As the server filters it; it stays in the order of the test, whatever order is asked for. */
function vulnerabilities(generation, open, asked) {
  const is = { exploited: (one) => one.exploited, attacked: (one) => one.attacked > 0, "not-offered": (one) => one.not_offered > 0, "no-fix": (one) => one.no_fix > 0 };
  const holds = is[asked.get("only")] ?? (() => true);
  const found = open.filter((one) => holds(one) && one.id.includes((asked.get("q") ?? "").toUpperCase()));
  const from = Number(asked.get("from") ?? 0);
  const counted = (only) => open.filter(is[only]).length;
  const items = found.slice(from, from + Number(asked.get("limit") ?? 100));
  return { generation, total: found.length, open: open.length, exploited: counted("exploited"), attacked: counted("attacked"), not_offered: counted("not-offered"), from, items };
}
