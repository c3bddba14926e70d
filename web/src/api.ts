import type {
  Approval,
  AssignBody,
  AssetDetail,
  AssetReachView,
  AssetsPage,
  BacktestBody,
  BacktestView,
  ControlBody,
  ControlEndBody,
  ControlsView,
  DirectiveReachView,
  DirectivesPage,
  DismissalBody,
  DirectiveView,
  Done,
  ExceptionBody,
  ExceptionEndBody,
  ExceptionsView,
  FindingWhyView,
  GapsPage,
  LogPage,
  MeasuresView,
  MessagesView,
  MovesView,
  Overview,
  PolicyCheckView,
  PolicyPresetView,
  PolicyPreviewView,
  PolicyView,
  ReachView,
  RefusalBody,
  RegulationView,
  ReplayView,
  RulesBody,
  NoteBody,
  RetryBody,
  SessionView,
  SetPolicy,
  RiskView,
  TrendView,
  VulnerabilitiesPage,
  VulnerabilityView,
  WaiverBody,
  WhyView,
} from "./api.gen";
import { leftMoment, type Moment } from "./moment";
import { session, signedOut, tokenAnswered, tokenOfAddress } from "./session";

/** Longest wait for an answer: beyond it Tenon counts as not reachable. */
const PATIENCE_MS = 15_000;
/** The same where Tenon may first have to make the record of then from all its entries. */
const PATIENCE_PAST_MS = 120_000;

/** Tenon answered, and the answer is no. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** No answer came. */
export class Unreachable extends Error {
  constructor() {
    super("Tenon does not answer");
  }
}

async function answer(path: string, init: RequestInit & { signal: AbortSignal }): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, init);
  } catch {
    throw new Unreachable();
  }
  if (response.status === 204) return null;
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    if (response.ok) throw new Problem(response.status, "no-json", "The answer cannot be read as JSON");
  }
  if (response.ok) return body;
  // While a token is being tried, its own answer says more.
  if (response.status === 401 && tokenOfAddress() === null) signedOut();
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown };
  throw new Problem(
    response.status,
    typeof code === "string" ? code : "error",
    typeof detail === "string" ? detail : `Tenon answered with status ${response.status}`,
  );
}

const ask = (path: string, init?: RequestInit): Promise<unknown> => answer(path, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });

/** Asks for what the record said at a moment. */
async function askAsOf(path: string, then: Moment): Promise<unknown> {
  if (then === null) return ask(path);
  const late = AbortSignal.timeout(PATIENCE_PAST_MS);
  const asOf = `${path.includes("?") ? "&" : "?"}as_of=${encodeURIComponent(then)}`;
  try {
    return await answer(path + asOf, { signal: AbortSignal.any([late, leftMoment()]) });
  } catch (error) {
    if (error instanceof Unreachable && late.aborted) throw new Problem(504, "late", "Tenon is still making the record of then: ask again in a while");
    throw error;
  }
}

/** What a change is sent with: no page elsewhere can send this header, so the session's cookie is not enough for it. */
const OWN = { "X-Tenon-Request": "page" };

/** Finds out who is signed in, and begins a session where the address brought a token. */
export async function findSession(): Promise<void> {
  const token = tokenOfAddress();
  if (token !== null) {
    try {
      const headers = { ...OWN, Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
      await ask("session", { method: "POST", headers, body: "{}" });
      tokenAnswered(true);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) tokenAnswered(false);
      throw error;
    }
  }
  if (session.get().is === "asking") session.set({ is: "in", who: (await ask("session")) as SessionView });
}

export async function signOut(): Promise<void> {
  await ask("session", { method: "DELETE", headers: OWN });
  window.location.assign("/sign-in");
}

export const getOverview = (then: Moment): Promise<Overview> => askAsOf("overview", then) as Promise<Overview>;

const windowed = (query: string, from: number, limit: number): string => `?from=${from}&limit=${limit}${query && `&${query}`}`;
export const getDirectives = (query: string, from: number, limit: number, then: Moment): Promise<DirectivesPage> =>
  askAsOf(`directives${windowed(query, from, limit)}`, then) as Promise<DirectivesPage>;
export const getAssets = (query: string, from: number, limit: number, then: Moment): Promise<AssetsPage> =>
  askAsOf(`assets${windowed(query, from, limit)}`, then) as Promise<AssetsPage>;
export const getVulnerabilities = (query: string, from: number, limit: number, then: Moment): Promise<VulnerabilitiesPage> =>
  askAsOf(`vulnerabilities${windowed(query, from, limit)}`, then) as Promise<VulnerabilitiesPage>;
export const getTrend = (days: string, then: Moment): Promise<TrendView> => askAsOf(`trend?days=${days}`, then) as Promise<TrendView>;
export const getRisk = (days: string, then: Moment): Promise<RiskView> => askAsOf(`risk?days=${days}`, then) as Promise<RiskView>;
export const getMeasures = (query: string, then: Moment): Promise<MeasuresView> => askAsOf(`measures?${query}`, then) as Promise<MeasuresView>;
export const getGaps = (limit: string, then: Moment): Promise<GapsPage> => askAsOf(`gaps?limit=${limit}`, then) as Promise<GapsPage>;
export const getMessages = (): Promise<MessagesView> => ask("messages") as Promise<MessagesView>;
/** Of where an attacker is taken to be: a zone, or where attacks begin. */
export const getReach = (within: string, then: Moment): Promise<ReachView> =>
  askAsOf(within === "" ? "reach" : `reach?within=${encodeURIComponent(within)}`, then) as Promise<ReachView>;
export const getDirectiveReach = (id: string, then: Moment): Promise<DirectiveReachView> =>
  askAsOf(`directives/${encodeURIComponent(id)}/reach`, then) as Promise<DirectiveReachView>;
export const getAssetReach = (id: string, then: Moment): Promise<AssetReachView> =>
  askAsOf(`assets/${encodeURIComponent(id)}/reach`, then) as Promise<AssetReachView>;
export const getAsset = (id: string, then: Moment): Promise<AssetDetail> =>
  askAsOf(`assets/${encodeURIComponent(id)}`, then) as Promise<AssetDetail>;
export const getDirective = (id: string, then: Moment): Promise<DirectiveView> =>
  askAsOf(`directives/${encodeURIComponent(id)}`, then) as Promise<DirectiveView>;
export const getVulnerability = (id: string, then: Moment): Promise<VulnerabilityView> =>
  askAsOf(`vulnerabilities/${encodeURIComponent(id)}`, then) as Promise<VulnerabilityView>;
export const getControls = (limit: string, then: Moment): Promise<ControlsView> =>
  askAsOf(`controls?limit=${limit}`, then) as Promise<ControlsView>;
export const getExceptions = (limit: string, then: Moment): Promise<ExceptionsView> =>
  askAsOf(`exceptions?limit=${limit}`, then) as Promise<ExceptionsView>;
export const getRules = (then: Moment): Promise<RulesBody> => askAsOf("rules", then) as Promise<RulesBody>;
export const getRegulations = (then: Moment): Promise<RegulationView[]> => askAsOf("regulations", then) as Promise<RegulationView[]>;
export const getPolicy = (then: Moment): Promise<PolicyView> => askAsOf("policy", then) as Promise<PolicyView>;
export const getPresets = (): Promise<PolicyPresetView[]> => ask("policy/presets") as Promise<PolicyPresetView[]>;
/** Asks with a body and changes nothing. */
const wanted = (path: string, body: unknown): Promise<unknown> =>
  ask(path, { method: "POST", headers: { ...OWN, "Content-Type": "application/json" }, body: JSON.stringify(body) });
export const checkPolicy = (text: string): Promise<PolicyCheckView> => wanted("policy/check", { text }) as Promise<PolicyCheckView>;
export const previewPolicy = (text: string): Promise<PolicyPreviewView> => wanted("policy/preview", { text }) as Promise<PolicyPreviewView>;
export const getBacktest = (): Promise<BacktestView> => ask("backtest") as Promise<BacktestView>;
/** How it stands with a replay, which begins when it is first asked for. It changes nothing. */
export const askReplay = (body: BacktestBody): Promise<ReplayView> => wanted("backtest", body) as Promise<ReplayView>;
export const getWhy = (id: string, then: Moment): Promise<WhyView> =>
  askAsOf(`directives/${encodeURIComponent(id)}/why`, then) as Promise<WhyView>;
export const getMoves = (id: string, then: Moment): Promise<MovesView> =>
  askAsOf(`directives/${encodeURIComponent(id)}/moves`, then) as Promise<MovesView>;
/** Of an asset and a vulnerability that is open on it, a blank between them. */
export const getFindingWhy = (both: string, then: Moment): Promise<FindingWhyView> => {
  const [asset = "", vulnerability = ""] = both.split(" ").map(encodeURIComponent);
  return askAsOf(`assets/${asset}/vulnerabilities/${vulnerability}/why`, then) as Promise<FindingWhyView>;
};
/** The record itself takes no moment: what was known then is its beginning, which `until` ends. */
export const getLog = (query: string): Promise<LogPage> => ask(`log?${query}`) as Promise<LogPage>;
export const getReport = (digest: string): Promise<unknown> => ask(`reports/${encodeURIComponent(digest)}`);

/** What people can decide. */
export type Decision =
  | { do: "approve"; directive: string; body: Approval }
  | { do: "refuse"; directive: string; body: RefusalBody }
  | { do: "assign"; directive: string; body: AssignBody }
  | { do: "notes"; directive: string; body: NoteBody }
  | { do: "evidence-waiver"; directive: string; body: WaiverBody }
  | { do: "retry"; directive: string; body: RetryBody }
  | { do: "halt"; directive: string; body: RefusalBody }
  | { do: "resume"; directive: string }
  | { do: "accept"; body: ExceptionBody }
  | { do: "control"; body: ControlBody }
  | { do: "end-control"; control: string; body: ControlEndBody }
  | { do: "end"; exception: string; body: ExceptionEndBody }
  | { do: "policy"; body: SetPolicy }
  | { do: "dismiss"; detection: string; body: DismissalBody }
  | { do: "promote"; group: string }
  | { do: "demote"; group: string };

/** A new name for one decision: under the same name Tenon carries it out once, however often it is sent. */
export function newKey(): string {
  // Not randomUUID: that is missing where the page is served over plain HTTP under a host's name.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function pathOf(decision: Decision): string {
  const what = encodeURIComponent;
  if (decision.do === "accept") return "exceptions";
  if (decision.do === "policy") return "policy";
  if (decision.do === "control") return "controls";
  if (decision.do === "end-control") return `controls/${what(decision.control)}/end`;
  if (decision.do === "end") return `exceptions/${what(decision.exception)}/end`;
  if (decision.do === "dismiss") return `detections/${what(decision.detection)}/dismiss`;
  if ("group" in decision) return `groups/${what(decision.group)}/${decision.do}`;
  return `directives/${what(decision.directive)}/${decision.do}`;
}

export async function send(decision: Decision, key: string): Promise<Done> {
  const done = await ask(pathOf(decision), {
    method: "POST",
    headers: { ...OWN, "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify("body" in decision ? decision.body : {}),
  });
  return done as Done;
}
