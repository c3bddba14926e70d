import { Store } from "./store";

const KEPT = "tenon-operator-token";

export type Rights =
  | { may: true; token: string }
  /** `rejected`: there was a token and Tenon did not accept it. */
  | { may: false; rejected: boolean };

export const rights = new Store<Rights>({ may: false, rejected: false });

/**
 * The operator's token arrives in the fragment, which no browser sends to a server or puts into a referrer. It is
 * kept for this tab only and taken out of the address bar, so that nobody copies it with the address.
 */
export function takeTokenFromAddress(): void {
  const given = /^#token=(.+)$/.exec(window.location.hash)?.[1];
  if (given) {
    sessionStorage.setItem(KEPT, decodeURIComponent(given));
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  const token = sessionStorage.getItem(KEPT);
  rights.set(token ? { may: true, token } : { may: false, rejected: false });
}

export function tokenRejected(): void {
  sessionStorage.removeItem(KEPT);
  rights.set({ may: false, rejected: true });
}
