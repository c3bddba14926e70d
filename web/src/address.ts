/** What the address showed before signing in; for this tab, and until it is shown. */
const KEPT = "tenon-address";

const shown = (): string => window.location.search + window.location.hash;

/** Keeps what the address shows for after the sign-in, which leads to the page's bare address. */
export function keepAddress(): void {
  if (shown() !== "") sessionStorage.setItem(KEPT, shown());
}

// When this is loaded, which is before anything reads the address.
const kept = sessionStorage.getItem(KEPT);
sessionStorage.removeItem(KEPT);
if (kept !== null && shown() === "") window.history.replaceState(null, "", window.location.pathname + kept);
