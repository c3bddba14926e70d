import type { PartView } from "./api.gen";
import { count, plural } from "./bits";
import { choice, type Choice, choose } from "./choice";
import { useStore } from "./store";

/** By what the queue is told apart. */
export const BY: [string, string][] = [
  ["", "not grouped"],
  ["group", "grouped by group"],
  ["outcome", "grouped by decision"],
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

/** Most parts that are shown: the rest is counted. */
const MOST = 12;

/** What of the choice a part stands for; nothing where the list cannot be narrowed to it. */
function narrowed(by: string, name: string): Partial<Choice> | null {
  if (by === "group") return { group: name };
  if (by === "outcome") return { outcome: name };
  if (by === "package") return { q: name };
  if (by === "assignee") return { assignee: name };
  return DUE.some(([known]) => known === name) ? { due: name } : null;
}

/** What each part comes to; pressing one leaves only that. */
export function Parts({ parts }: { parts: PartView[] }) {
  const chosen = useStore(choice);
  const { by } = chosen;
  const highest = Math.max(1, ...parts.map(({ removes }) => Number(removes)));
  return (
    <ul className="parts" data-testid="parts">
      {parts.slice(0, MOST).map((part) => {
        const to = narrowed(by, part.name);
        const says = (
          <>
            <b>{by === "due" ? (WORDS[part.name] ?? part.name) : part.name}</b>
            <span className="sub number">
              {count(part.directives)} to do, {part.removes} risk points, {plural(part.assets, "asset")}
            </span>
            <meter min={0} max={highest} value={Number(part.removes)} aria-hidden="true" />
          </>
        );
        const pressed = to !== null && Object.entries(to).every(([name, value]) => chosen[name as keyof Choice] === value);
        return (
          <li key={part.name} data-testid="part" data-part={part.name}>
            {to === null ? (
              <span className="part">{says}</span>
            ) : (
              <button
                type="button"
                className="part"
                aria-pressed={pressed}
                title={pressed ? "Show the others again" : by === "due" ? "Show what is due by then" : "Show only these"}
                onClick={() => choose(pressed ? Object.fromEntries(Object.keys(to).map((name) => [name, ""])) : to)}
              >
                {says}
              </button>
            )}
          </li>
        );
      })}
      {parts.length > MOST && <li className="part sub">and {count(parts.length - MOST)} more</li>}
    </ul>
  );
}
