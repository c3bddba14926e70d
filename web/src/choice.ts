import { goToSection } from "./sections";
import { searchWith } from "./search";
import { Store } from "./store";
import { usualView } from "./views";

/** Which of the queue is shown, in which order, and by what it is told apart. */
export interface Choice {
  q: string;
  sort: string;
  group: string;
  outcome: string;
  due: string;
  /** A name, `me`, or `nobody`. */
  assignee: string;
  by: string;
  /** Which of its parts are folded. */
  folded: string;
}

export const ALL: Choice = { q: "", sort: "urgency", group: "", outcome: "", due: "", assignee: "", by: "", folded: "" };
const NAMES = Object.keys(ALL) as (keyof Choice)[];

/** What a query says of it; of what it says nothing that is as usual. */
function read(query: string): Choice {
  const parts = new URLSearchParams(query);
  const said = NAMES.map((name): [keyof Choice, string] => [name, parts.get(name) ?? ALL[name]]);
  return Object.fromEntries(said) as unknown as Choice;
}

/** The parameters that say it, where they are not as usual. */
const parameters = (of: Choice): Record<string, string> => Object.fromEntries(NAMES.map((name) => [name, of[name] === ALL[name] ? "" : of[name]]));

/** The same as a query, by which a view is kept. */
export function written(of: Choice): string {
  return new URLSearchParams(Object.entries(parameters(of)).filter(([, value]) => value !== "")).toString();
}

/** Whether it leaves anything out. */
export const narrows = ({ q, group, outcome, due, assignee }: Choice): boolean => [q, group, outcome, due, assignee].some((said) => said !== "");

function fromAddress(): Choice {
  const said = read(window.location.search);
  const usual = usualView();
  // What the address says goes before one's own habit: a colleague's link shows what he saw.
  if (written(said) !== "" || usual === null) return said;
  const own = read(usual);
  window.history.replaceState(window.history.state, "", window.location.pathname + searchWith(parameters(own)) + window.location.hash);
  return own;
}

/** It stands in the address, so that a link shows the same, and Back leads to the view before. */
export const choice = new Store<Choice>(fromAddress());

window.addEventListener("popstate", () => {
  const said = read(window.location.search);
  if (written(said) !== written(choice.get())) choice.set(said);
});

function show(next: Choice, step: "replaceState" | "pushState"): void {
  if (written(next) === written(choice.get())) return;
  window.history[step](step === "replaceState" ? window.history.state : null, "", window.location.pathname + searchWith(parameters(next)) + window.location.hash);
  choice.set(next);
}

/** Changes some of it. */
export const choose = (change: Partial<Choice>): void => show({ ...choice.get(), ...change }, "replaceState");

/** What somebody typed who looks for something. */
export const look = (q: string): void => choose({ q });

/** Shows a view by its query: a step of history of its own. */
export const showView = (query: string): void => show(read(query), "pushState");

/** Shows the queue of a group, of all where none is named, the most urgent first: what is overdue is at its head. */
export function showInQueue(group: string): void {
  choose({ ...ALL, group });
  goToSection("queue", "center");
}

/** Shows what somebody does, the most urgent first: a name, `me`, or `nobody` for what nobody does yet. */
export function showDoneBy(assignee: string): void {
  choose({ ...ALL, assignee });
  goToSection("queue");
}

/** Shows what has ended. */
export const showClosed = (): void => goToSection("closed", "center");
