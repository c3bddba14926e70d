import { type KeyboardEvent, useEffect, useRef, useState } from "react";

import { getAssets, getDirectives, getVulnerabilities } from "./api";
import type { Overview } from "./api.gen";
import { count, plural } from "./bits";
import { boardAddress } from "./board";
import { showDoneBy, showView } from "./choice";
import { type Command, commands } from "./commands";
import { ending } from "./closed";
import { queryOf } from "./find";
import { backToNow, moment, type Moment } from "./moment";
import { open, VULNERABILITY } from "./place";
import { goToSection, SECTIONS } from "./sections";
import { Store, useStore } from "./store";
import { views } from "./views";

/** Whether it is open. */
export const palette = new Store(false);

/** How long somebody pauses who has typed what they look for, in milliseconds. */
const PAUSE_MS = 150;
/** Most of one kind that are shown. */
const MOST = 5;

interface Choice extends Command {
  id: string;
  /** What it is of, in a few words. */
  says?: string;
}

interface Group {
  name: string;
  choices: Choice[];
}

const NOTHING: Group[] = [];
const OPENER = "palette-open";

/** The way to everything by its name: opened by Ctrl or Cmd and K from anywhere. */
export function Palette({ overview }: { overview: Overview }) {
  const shown = useStore(palette);
  useEffect(() => {
    function pressed(event: globalThis.KeyboardEvent): void {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      // Browsers have it for their own search.
      event.preventDefault();
      palette.set(!palette.get());
    }
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
  return shown ? <Open overview={overview} /> : null;
}

/** The button in the header. */
export function PaletteButton() {
  const apple = /Mac|iP(hone|ad)/.test(navigator.platform);
  return (
    <button type="button" className="palette-open" id={OPENER} data-testid={OPENER} aria-haspopup="dialog" aria-keyshortcuts="Control+K Meta+K" onClick={() => palette.set(true)}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path d="M8.2 8.2 11 11M9.3 5.2a4.1 4.1 0 1 1-8.2 0 4.1 4.1 0 0 1 8.2 0z" className="line" />
      </svg>
      <span>Go to or do</span> <kbd aria-hidden="true">{apple ? "⌘K" : "Ctrl K"}</kbd>
    </button>
  );
}

function Open({ overview }: { overview: Overview }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const said = text.trim();
  const found = useFound(said);
  // Where one can go and what can be done is what it was when it was opened: nothing appears under the finger.
  const [own] = useState(commands);
  const [sections] = useState(() => SECTIONS.filter(({ id }) => document.getElementById(`${id}-title`)));
  const then = useStore(moment);
  const groups = groupsOf(said, own, sections, overview, then, found.groups);
  const all = groups.flatMap(({ choices }) => choices);
  const [chosen, setChosen] = useState<string | null>(null);
  const at = Math.max(0, all.findIndex(({ id }) => id === chosen));
  const active = all[at];

  useEffect(() => {
    const box = dialog.current;
    const before = document.activeElement;
    box?.showModal();
    return () => {
      // Back to where the keyboard was, unless what was chosen has taken it somewhere.
      if (box?.contains(document.activeElement) || document.activeElement === document.body) {
        if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      }
    };
  }, []);

  useEffect(() => {
    document.getElementById(`choice-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [at, text]);

  function run(choice: Choice): void {
    dialog.current?.close();
    palette.set(false);
    choice.run();
  }

  function pressed(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      // Not the panel behind it.
      event.preventDefault();
      event.stopPropagation();
      dialog.current?.close();
      palette.set(false);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length];
      if (next) setChosen(next.id);
    } else if (event.key === "Enter" && active) {
      event.preventDefault();
      run(active);
    }
  }

  let place = -1;
  return (
    // The browser keeps the keyboard in it, and takes what is behind away from it.
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Go to or do"
      data-testid="palette"
      onKeyDown={pressed}
      onClose={() => palette.set(false)}
      onPointerDown={(event) => event.target === dialog.current && palette.set(false)}
    >
      <input
        type="text"
        role="combobox"
        aria-label="A view, a directive, an asset, a vulnerability, or what to do"
        aria-expanded={all.length > 0}
        aria-controls="palette-choices"
        aria-autocomplete="list"
        aria-activedescendant={active ? `choice-${at}` : undefined}
        placeholder="View, directive, host, CVE, action"
        data-testid="palette-text"
        value={text}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        autoFocus
        onChange={(event) => {
          setText(event.target.value);
          setChosen(null);
        }}
      />
      <div id="palette-choices" role="listbox" aria-label="Choices" className="choices" aria-busy={found.busy || undefined}>
        {groups.map(({ name, choices }) => (
          <div key={name} role="group" aria-label={name}>
            <p className="sub" aria-hidden="true">{name}</p>
            {choices.map((choice) => {
              place += 1;
              const mine = place;
              return (
                <div
                  key={choice.id}
                  id={`choice-${mine}`}
                  role="option"
                  aria-selected={mine === at}
                  className="choice"
                  data-testid="choice"
                  data-choice={choice.id}
                  onPointerMove={() => setChosen(choice.id)}
                  onClick={() => run(choice)}
                >
                  <span>{choice.name}</span>
                  {choice.says && <span className="sub">{choice.says}</span>}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      <p className="palette-foot sub" role="status">
        {found.problem ?? (found.busy ? "Looking…" : all.length > 0 ? plural(all.length, "choice") : `Nothing here is called “${said}”.`)}
        <span className="keys" aria-hidden="true">
          <kbd>↑</kbd> <kbd>↓</kbd> choose <kbd>Enter</kbd> goes <kbd>Esc</kbd> closes
        </span>
      </p>
    </dialog>
  );
}

const has = (name: string, said: string): boolean => said.toLowerCase().split(/\s+/).every((word) => name.toLowerCase().includes(word));

/** What can be done comes after where one can go while nothing is typed: nothing is approved by two keys struck by chance. */
function groupsOf(said: string, own: Command[], sections: typeof SECTIONS, overview: Overview, then: Moment, found: Group[]): Group[] {
  const places: Choice[] = sections.map(({ id, name, of }) => ({ id: `view-${id}`, name, ...(of && { says: count(of(overview)) }), run: () => goToSection(id) }));
  places.push({ id: "view-board", name: "Board page", says: "one page to print", run: () => window.location.assign(boardAddress()) });
  if (then !== null) places.push({ id: "view-now", name: "Back to now", run: backToNow });
  const kept = views.get().all.map(({ name, query }): Choice => ({ id: `kept-${name}`, name, says: "view", run: () => showKept(query) }));
  kept.push({ id: "queue-mine", name: "My directives", says: "done by me", run: () => showDoneBy("me") });
  kept.push({ id: "queue-nobodys", name: "Nobody’s directives", says: "done by nobody yet", run: () => showDoneBy("nobody") });
  // What begins so comes before what only has it somewhere.
  const begins = ({ name }: Choice): number => Number(name.toLowerCase().startsWith(said.toLowerCase()));
  const like = (choices: Choice[]) => choices.filter(({ name, says = "" }) => has(`${name} ${says}`, said)).sort((a, b) => begins(b) - begins(a));
  const doing = own.map((command, at): Choice => ({ ...command, id: `do-${at}`, ...(command.on !== undefined && { says: command.on }) }));
  const groups: Group[] = [
    { name: "Go to", choices: like(places) },
    { name: "Views of the queue", choices: like(kept) },
    // Begun with its own word, so that who looks for a host is not offered to change it.
    { name: "Do", choices: like(doing).filter(({ name }) => name.toLowerCase().startsWith(said.toLowerCase().split(/\s+/)[0] ?? "")) },
    ...found,
  ];
  return groups.filter(({ choices }) => choices.length > 0);
}

function showKept(query: string): void {
  showView(query);
  goToSection("queue");
}

/** Opens something beside the lists, where reading goes on. */
function show(id: string): void {
  open(id);
  requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById("panel-title")?.focus({ preventScroll: true })));
}

interface Found {
  groups: Group[];
  busy: boolean;
  problem: string | null;
}

/** What Tenon finds of a text, as of the moment that is shown. */
function useFound(said: string): Found {
  const then = useStore(moment);
  const [found, setFound] = useState<{ said: string; then: Moment; groups: Group[]; problem: string | null } | null>(null);
  const asks = said.length > 1;
  useEffect(() => {
    if (!asks) return;
    let wanted = true;
    const wait = setTimeout(() => {
      const q = queryOf({ q: said });
      Promise.all([
        getDirectives(q, 0, MOST, then),
        getAssets(q, 0, MOST, then),
        getVulnerabilities(q, 0, MOST, then),
        getDirectives(`${q}&state=closed`, 0, MOST, then),
      ]).then(
        ([directives, assets, vulnerabilities, closed]) => {
          if (!wanted) return;
          const more = (total: number) => (total > MOST ? ` (${count(MOST)} of ${count(total)})` : "");
          const cves: Choice[] = vulnerabilities.items.map((one) => ({ id: one.id, name: one.id, says: `open on ${plural(one.assets, "asset")}`, run: () => show(one.id) }));
          const named = /^cve-/i.test(said) ? said.toUpperCase() : said;
          // That one is open nowhere here is an answer, too; hosts are not called so.
          const asked = VULNERABILITY.test(said) && /-.*\d.*-|-.*-.*\d/.test(said) && assets.total === 0 && !cves.some(({ id }) => id === named);
          if (asked) cves.push({ id: named, name: named, says: "are we affected?", run: () => show(named) });
          const groups: Group[] = [
            { name: `Directives${more(directives.total)}`, choices: directives.items.map((one) => ({ id: one.id, name: one.title, says: `${one.id}, group ${one.group}, ${one.outcome}`, run: () => show(one.id) })) },
            { name: `Assets${more(assets.total)}`, choices: assets.items.map((one) => ({ id: one.id, name: one.hostname, says: `group ${one.group}`, run: () => show(one.id) })) },
            { name: `Vulnerabilities${more(vulnerabilities.total)}`, choices: cves },
            { name: `Closed${more(closed.total)}`, choices: closed.items.map((one) => ({ id: one.id, name: one.title, says: `${one.id}, ${ending(one.closed ?? "closed").how}`, run: () => show(one.id) })) },
          ];
          setFound({ said, then, groups, problem: null });
        },
        (error: unknown) => wanted && setFound({ said, then, groups: NOTHING, problem: error instanceof Error ? error.message : String(error) }),
      );
    }, PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(wait);
    };
  }, [asks, said, then]);
  const answers = found !== null && found.said === said && found.then === then;
  return { groups: asks && answers ? found.groups : NOTHING, busy: asks && !answers, problem: asks && answers ? found.problem : null };
}
