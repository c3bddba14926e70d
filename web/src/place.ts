import { Store } from "./store";

/** What the panel shows. It stands in the address, so that a ticket can link to it and Back closes it. */
export type Place = { kind: "directive" | "asset" | "vulnerability"; id: string } | null;

/** As advisories name vulnerabilities: letters, a hyphen, and more. */
export const VULNERABILITY = /^[a-z]+-[\w:.-]{1,60}$/i;

function fromAddress(): Place {
  const id = window.location.hash.slice(1);
  if (/^dir_\d+$/.test(id)) return { kind: "directive", id };
  if (/^ast_[0-9a-f]{32}$/.test(id)) return { kind: "asset", id };
  return VULNERABILITY.test(id) ? { kind: "vulnerability", id } : null;
}

export const place = new Store<Place>(fromAddress());

function follow(): void {
  const next = fromAddress();
  if (next?.id !== place.get()?.id) place.set(next);
}

window.addEventListener("popstate", follow);
window.addEventListener("hashchange", follow);

export function open(id: string): void {
  const address = `#${id}`;
  // One step of history for the panel, however many things were looked at in it.
  if (place.get()) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  follow();
}

/** Opens what stands in the panel, with a way back to it. */
export function openFrom(id: string): void {
  window.history.pushState({ from: place.get()?.id }, "", `#${id}`);
  follow();
}

/** From where what the panel shows was opened, where that was the panel itself. */
export function from(): string | null {
  const state: unknown = window.history.state;
  return typeof state === "object" && state !== null && "from" in state && typeof state.from === "string" ? state.from : null;
}

export function close(): void {
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  follow();
}
