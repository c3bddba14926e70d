import type { DirectivesPage, PartView } from "./api.gen";
import type { Choice } from "./choice";
import { known } from "./stages";

/** By what the queue is told apart. */
export const BY: [string, string][] = [
  ["", "not grouped"],
  ["group", "grouped by group"],
  ["outcome", "grouped by decision"],
  ["stage", "grouped by stage"],
  ["due", "grouped by due date"],
  ["package", "grouped by package"],
  ["assignee", "grouped by who does it"],
];

/** Who does it. */
export const DONE_BY: [string, string][] = [
  ["", "done by anybody or nobody"],
  ["me", "done by me"],
  ["nobody", "done by nobody yet"],
];

/** Until when something is due. */
export const DUE: [string, string][] = [
  ["", "any due date"],
  ["overdue", "overdue"],
  ["1d", "due within a day"],
  ["3d", "due within 3 days"],
  ["7d", "due within 7 days"],
  ["30d", "due within 30 days"],
];

const WORDS: Record<string, string> = { overdue: "overdue", "1d": "within a day", "3d": "within 3 days", "7d": "within 7 days", "30d": "within 30 days", later: "later", "no-date": "no date" };

/** What of the choice a part stands for; nothing where the list cannot be narrowed to it. */
export function narrowed(by: string, name: string): Partial<Choice> | null {
  if (by === "group") return { group: name };
  if (by === "outcome") return { outcome: name };
  if (by === "package") return { q: name };
  if (by === "assignee") return { assignee: name };
  return by === "due" && DUE.some(([known]) => known === name) ? { due: name } : null;
}

/** How a part is headed. */
export function headed(by: string, name: string): string {
  if (by === "due") return WORDS[name] ?? name;
  return by === "stage" ? known(name).word : name;
}

/** A part of a list, with the place at which it begins. */
export interface Part {
  /** Absent for what stands behind the parts that are told one by one. */
  view: PartView | null;
  from: number;
  rows: number;
}

/** The parts of a list in their order. */
export function partsOf({ parts, total }: DirectivesPage): Part[] {
  let from = 0;
  const all: Part[] = (parts ?? []).map((view) => {
    const part = { view, from, rows: view.directives };
    from += view.directives;
    return part;
  });
  if (from < total) all.push({ view: null, from, rows: total - from });
  return all;
}
