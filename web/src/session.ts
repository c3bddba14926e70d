import type { SessionView } from "./api.gen";
import { moment } from "./moment";
import { Store, useStore } from "./store";

/** Left here by a page of an earlier release; a token is not kept any more. */
const KEPT_ONCE = "tenon-operator-token";

export type Right = "read" | "assess" | "discuss" | "operate" | "approve" | "investigate" | "audit" | "administer";

export type Session =
  /** Not known yet. */
  | { is: "asking" }
  | { is: "in"; who: SessionView }
  /** `never`: this browser has no session. `ended`: it had one. `token`: the link's token was not accepted. */
  | { is: "out"; why: "never" | "ended" | "token" };

export const session = new Store<Session>({ is: "asking" });

/** Whether who is signed in may do this here and now: while one looks back nothing can be done. */
export function useMay(right: Right): boolean {
  const now = useStore(session);
  return useStore(moment) === null && now.is === "in" && now.who.rights.includes(right);
}

let token: string | null = null;

/**
 * The owner's token arrives in the fragment, which no browser sends to a server or puts into a referrer. It is taken out
 * of the address bar, so that nobody copies it with the address, and given away at once for a session, whose cookie no
 * script can read.
 */
export function takeTokenFromAddress(): void {
  sessionStorage.removeItem(KEPT_ONCE);
  const given = /^#token=(.+)$/.exec(window.location.hash)?.[1];
  if (!given) return;
  token = decodeURIComponent(given);
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
}

/** The token to begin a session with, if the address brought one that is not answered yet. */
export const tokenOfAddress = (): string | null => token;

/** The token is answered: `accepted` or not, it is of no more use. */
export function tokenAnswered(accepted: boolean): void {
  token = null;
  if (!accepted) session.set({ is: "out", why: "token" });
}

/** Tenon says that nobody is signed in. */
export function signedOut(): void {
  const now = session.get();
  if (now.is === "out") return;
  session.set({ is: "out", why: now.is === "in" ? "ended" : "never" });
}
