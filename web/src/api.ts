import type {
  Approval,
  AssetDetail,
  AssetsPage,
  DirectivesPage,
  DirectiveView,
  Done,
  GapsPage,
  MeasuresView,
  Overview,
  RefusalBody,
  RetryBody,
  SessionView,
  TrendView,
  WhyView,
} from "./api.gen";
import { session, signedOut, tokenAnswered, tokenOfAddress } from "./session";

/** Longest wait for an answer: beyond it Tenon counts as not reachable. */
const PATIENCE_MS = 15_000;

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

async function ask(path: string, init?: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
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

export const getOverview = (): Promise<Overview> => ask("overview") as Promise<Overview>;

const windowed = (query: string, from: number, limit: number): string => `?from=${from}&limit=${limit}${query && `&${query}`}`;
export const getDirectives = (query: string, from: number, limit: number): Promise<DirectivesPage> =>
  ask(`directives${windowed(query, from, limit)}`) as Promise<DirectivesPage>;
export const getAssets = (query: string, from: number, limit: number): Promise<AssetsPage> =>
  ask(`assets${windowed(query, from, limit)}`) as Promise<AssetsPage>;
export const getTrend = (days: string): Promise<TrendView> => ask(`trend?days=${days}`) as Promise<TrendView>;
export const getMeasures = (query: string): Promise<MeasuresView> => ask(`measures?${query}`) as Promise<MeasuresView>;
export const getGaps = (limit: string): Promise<GapsPage> => ask(`gaps?limit=${limit}`) as Promise<GapsPage>;
export const getAsset = (id: string): Promise<AssetDetail> =>
  ask(`assets/${encodeURIComponent(id)}`) as Promise<AssetDetail>;
export const getDirective = (id: string): Promise<DirectiveView> =>
  ask(`directives/${encodeURIComponent(id)}`) as Promise<DirectiveView>;
export const getWhy = (id: string): Promise<WhyView> =>
  ask(`directives/${encodeURIComponent(id)}/why`) as Promise<WhyView>;
export const getReport = (digest: string): Promise<unknown> => ask(`reports/${encodeURIComponent(digest)}`);

/** What people can decide. */
export type Decision =
  | { do: "approve"; directive: string; body: Approval }
  | { do: "refuse"; directive: string; body: RefusalBody }
  | { do: "retry"; directive: string; body: RetryBody }
  | { do: "halt"; directive: string; body: RefusalBody }
  | { do: "resume"; directive: string }
  | { do: "promote"; group: string }
  | { do: "demote"; group: string };

/** A new name for one decision: under the same name Tenon carries it out once, however often it is sent. */
export function newKey(): string {
  // Not randomUUID: that is missing where the page is served over plain HTTP under a host's name.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export async function send(decision: Decision, key: string): Promise<Done> {
  const of = "group" in decision ? `groups/${encodeURIComponent(decision.group)}` : `directives/${encodeURIComponent(decision.directive)}`;
  const done = await ask(`${of}/${decision.do}`, {
    method: "POST",
    headers: { ...OWN, "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify("body" in decision ? decision.body : {}),
  });
  return done as Done;
}
