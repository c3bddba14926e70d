import { Store } from "./store";

/** A choice of the queue under a name. */
export interface View {
  name: string;
  /** As the address says it; empty for all of the queue. */
  query: string;
}

interface Views {
  all: View[];
  /** The name of the one that is shown where the address says nothing. */
  usual: string | null;
}

/** In this browser, and in no other: the address is what one sends to others. */
const KEPT = "tenon-views";
const NONE: Views = { all: [], usual: null };
/** Longest name. */
export const LONGEST = 60;

const isView = (one: unknown): one is View => typeof one === "object" && one !== null && "name" in one && typeof one.name === "string" && "query" in one && typeof one.query === "string";

function kept(): Views {
  try {
    const said: unknown = JSON.parse(window.localStorage.getItem(KEPT) ?? "null");
    if (typeof said !== "object" || said === null || !("all" in said) || !Array.isArray(said.all)) return NONE;
    const all = said.all.filter(isView);
    const usual = "usual" in said && typeof said.usual === "string" && all.some(({ name }) => name === said.usual) ? said.usual : null;
    return { all, usual };
  } catch {
    // A browser that keeps nothing, or keeps what another program wrote.
    return NONE;
  }
}

export const views = new Store<Views>(kept());

// Another tab of the same browser.
window.addEventListener("storage", ({ key }) => {
  if (key === KEPT || key === null) views.set(kept());
});

function keep(next: Views): boolean {
  try {
    if (next.all.length === 0) window.localStorage.removeItem(KEPT);
    else window.localStorage.setItem(KEPT, JSON.stringify(next));
  } catch {
    return false;
  }
  views.set(next);
  return true;
}

const byName = (a: View, b: View): number => a.name.localeCompare(b.name);

/** Keeps a view; under a name that there is already in place of that. `false` where this browser keeps nothing. */
export function keepView(name: string, query: string): boolean {
  const { all, usual } = views.get();
  return keep({ all: [...all.filter((one) => one.name !== name), { name, query }].sort(byName), usual });
}

/** Calls a view otherwise, in place of one that is called so. */
export function renameView(from: string, to: string): void {
  const { all, usual } = views.get();
  const others = all.filter(({ name }) => name === from || name !== to);
  keep({ all: others.map((one) => (one.name === from ? { ...one, name: to } : one)).sort(byName), usual: usual === from ? to : usual });
}

/** Takes a view away, and gives what brings it back. */
export function removeView(name: string): () => void {
  const before = views.get();
  keep({ all: before.all.filter((one) => one.name !== name), usual: before.usual === name ? null : before.usual });
  return () => keep(before);
}

/** Shows a view where the address says nothing; `null` for all of the queue. */
export const makeUsual = (name: string | null): boolean => keep({ ...views.get(), usual: name });

/** The query of that view. */
export function usualView(): string | null {
  const { all, usual } = views.get();
  return all.find(({ name }) => name === usual)?.query ?? null;
}
