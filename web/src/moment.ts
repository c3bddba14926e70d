import { searchWith } from "./search";
import { Store } from "./store";

/** As of when the record is shown, as the API takes it: a day or time, RFC 3339, or the number of an entry. `null` is now. */
export type Moment = string | null;

const PARAMETER = "as_of";

const fromAddress = (): Moment => new URLSearchParams(window.location.search).get(PARAMETER) || null;

/** It stands in the address, so that a colleague who gets that sees the same, and Back leads to what was shown before. */
export const moment = new Store<Moment>(fromAddress());

let leaving = new AbortController();

/** Aborted when another moment is chosen: nobody waits for the answers of this one any more. */
export const leftMoment = (): AbortSignal => leaving.signal;

function follow(): void {
  const next = fromAddress();
  if (next === moment.get()) return;
  leaving.abort();
  leaving = new AbortController();
  moment.set(next);
}

window.addEventListener("popstate", follow);

function go(to: Moment): void {
  if (to === moment.get()) return;
  window.history.pushState(null, "", window.location.pathname + searchWith({ [PARAMETER]: to ?? "" }) + window.location.hash);
  follow();
}

/** Shows the record as it stood at a time, in milliseconds; a time without a fraction is its whole second. */
export const lookBackTo = (time: number): void => go(new Date(time).toISOString().replace(/\.\d+Z$/, "Z"));

export const backToNow = (): void => go(null);

/** The number of the entry that a moment is, where it is one. */
export const entryOf = (of: string): number | null => (/^\d+$/.test(of) ? Number(of) : null);
