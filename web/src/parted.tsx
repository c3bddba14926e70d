import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useId, useLayoutEffect, useRef, useState } from "react";

import type { DirectiveLine, DirectivesPage, PartView } from "./api.gen";
import { count, plural, Unseen } from "./bits";
import { choice, choose } from "./choice";
import { isFolded, toggled } from "./folds";
import { CHUNK, type Listed } from "./listed";
import { headed, narrowed, type Part, partsOf } from "./parts";
import { BEYOND, GUESS, HIGHEST, placesFrom, rowsAt } from "./rows";
import { useStore } from "./store";
import { due, useNow } from "./time";

/** Height of a head before one was drawn, in pixels. */
const GUESS_HEAD = 36;

interface Shown {
  listed: Listed<DirectivesPage>;
  page: DirectivesPage;
  /** What tells one list from another: with a new one, the window begins at the top. */
  of: string;
  list: RefObject<HTMLDivElement | null>;
  row: (item: DirectiveLine, place: number) => ReactNode;
}

/** A part with where it stands in the window, in pixels. */
interface Put extends Part {
  open: boolean;
  /** It would be unfolded, and is too long to be drawn with what is unfolded before it. */
  full: boolean;
  top: number;
  height: number;
}

/** Where each part stands. No browser draws an element that is much higher than the highest. */
function layOut(parts: Part[], folded: (view: PartView) => boolean, head: number, row: number): Put[] {
  let top = 0;
  return parts.map((part) => {
    const wanted = part.view === null || !folded(part.view);
    const full = wanted && top + head + part.rows * row > HIGHEST;
    const open = wanted && !full;
    const put = { ...part, open, full, top, height: head + (open ? part.rows * row : 0) };
    top += put.height;
    return put;
  });
}

/** The rows of the queue under the heads of its parts, which stay in sight while their rows pass and fold them. */
export function Parted({ listed, page, of, list, row }: Shown) {
  const { folded } = useStore(choice);
  const long = page.total > CHUNK;
  const scroller = useRef<HTMLDivElement>(null);
  const [sizes, setSizes] = useState({ head: GUESS_HEAD, row: GUESS });
  const [view, setView] = useState({ top: 0, inner: 600 });
  const puts = layOut(partsOf(page), ({ name }) => isFolded(folded, name), sizes.head, sizes.row);
  const end = puts.at(-1);

  // All rows are of one height, and so are all heads; both depend on how wide the list is.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => {
      const [head, row] = [".part-head", "li[data-place]"].map((one) => box.querySelector<HTMLElement>(one)?.getBoundingClientRect().height);
      setSizes((before) => (same(before.head, head) && same(before.row, row) ? before : { head: head || before.head, row: row || before.row }));
      setView((before) => (before.inner === box.clientHeight ? before : { ...before, inner: box.clientHeight }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [listed.page, folded]);

  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [of]);

  const [above, below] = long ? [view.top - BEYOND * sizes.row, view.top + view.inner + BEYOND * sizes.row] : [0, Number.POSITIVE_INFINITY];
  const drawn = puts.filter(({ top, height }) => top + height > above && top < below).map((put) => ({ put, rows: inSight(put, above, below, sizes) }));
  const places = drawn.flatMap(({ rows }) => rows);
  const { show } = listed;
  // The same places in another array are nothing new.
  const sight = places.join();
  useEffect(() => show(sight === "" ? [] : sight.split(",").map(Number)), [show, sight]);

  // Folded from the middle of its rows, the head of a part stays where one looks.
  const fold = ({ view: of, top }: Put) => {
    if (of === null) return;
    const box = scroller.current;
    if (box && box.scrollTop > top) {
      box.scrollTop = top;
      setView((before) => ({ ...before, top }));
    }
    choose({ folded: toggled(folded, of.name) });
  };
  const content = drawn.map(({ put, rows }) => (
    <PartOf key={put.view?.name ?? ""} put={put} placed={long} fold={() => fold(put)}>
      <ul className="rows" style={long && rows[0] !== undefined ? { transform: `translateY(${(rows[0] - put.from) * sizes.row}px)` } : undefined}>
        {rowsAt(rows, listed, sizes.row, row)}
      </ul>
    </PartOf>
  ));
  if (!long) {
    return (
      <div className="parted" ref={list} onKeyDown={pressed} data-testid="parts">
        {content}
      </div>
    );
  }
  return (
    <div
      className="window"
      ref={scroller}
      tabIndex={-1}
      data-testid="window"
      onScroll={({ currentTarget: { scrollTop: top, clientHeight: inner } }) => setView({ top, inner })}
    >
      <div className="parted" ref={list} onKeyDown={pressed} data-testid="parts" style={{ height: end ? end.top + end.height : 0 }}>
        {content}
      </div>
    </div>
  );
}

const same = (before: number, now: number | undefined): boolean => !now || Math.abs(before - now) < 0.5;

/** The places of a part's rows between two heights of the window. */
function inSight({ open, from, rows, top }: Put, above: number, below: number, { head, row }: { head: number; row: number }): number[] {
  if (!open) return [];
  const first = Math.max(0, Math.floor((above - top - head) / row));
  const last = Math.min(rows, Math.ceil((below - top - head) / row));
  return placesFrom(from + first, from + last);
}

/** Left folds and goes to the head, right unfolds. */
function pressed(event: KeyboardEvent<HTMLElement>): void {
  const left = event.key === "ArrowLeft";
  if ((!left && event.key !== "ArrowRight") || !(event.target instanceof Element)) return;
  const head = event.target.closest(".part")?.querySelector<HTMLElement>("[data-head]");
  if (!head) return;
  const isOpen = head.getAttribute("aria-expanded") === "true";
  if (event.target !== head && left) head.focus();
  else if (event.target === head && isOpen === left) head.click();
  else return;
  event.preventDefault();
}

function PartOf({ put: { view, rows, open, full, top, height }, placed, fold, children }: { put: Put; placed: boolean; fold: () => void; children: ReactNode }) {
  const id = useId();
  const section = useRef<HTMLElement>(null);
  const was = useRef(open);
  useLayoutEffect(() => {
    if (!placed && was.current && !open) section.current?.scrollIntoView({ block: "nearest" });
    was.current = open;
  }, [placed, open]);
  return (
    <section className="part" ref={section} aria-labelledby={`${id}-name`} data-testid="part" data-part={view?.name ?? ""} style={placed ? { top, height } : undefined}>
      <div className="part-head">
        {view ? <Head id={id} view={view} open={open} full={full} fold={fold} /> : <h3 className="part-name" id={`${id}-name`}>{plural(rows, "more directive")} in smaller parts</h3>}
      </div>
      <div id={`${id}-rows`}>{open && children}</div>
    </section>
  );
}

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
/** Risk points with their thousands apart; what is too small for that as it was told. */
const points = (told: string): string => (Number(told) >= 0.1 ? number.format(Number(told)) : told);

/** What a part comes to; pressed it folds, and beside it stands what leaves only that. */
function Head({ id, view, open, full, fold }: { id: string; view: PartView; open: boolean; full: boolean; fold: () => void }) {
  const chosen = useStore(choice);
  const now = useNow();
  const to = narrowed(chosen.by, view.name);
  const alone = to !== null && Object.entries(to).every(([name, value]) => chosen[name as keyof typeof chosen] === value);
  const first = view.due ? due(Date.parse(view.due), now) : null;
  return (
    <>
      <h3>
        <button
          type="button"
          className="part-fold"
          data-head=""
          data-testid="part-fold"
          aria-expanded={open}
          aria-controls={`${id}-rows`}
          disabled={full}
          title={full ? "Too many rows to draw at once: fold others first" : undefined}
          onClick={fold}
        >
          <svg className="chevron" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <path d="M4.5 2.5 8 6 4.5 9.5" className="line" />
          </svg>
          <span className="part-name" id={`${id}-name`}>
            {headed(chosen.by, view.name)}
          </span>
          <span className="part-says">
            <Unseen>: </Unseen>
            <span className="number">{count(view.directives)}</span> to do<Unseen>, </Unseen>
            <span className="part-risk">
              <span className="number">{points(view.removes)}</span> risk points
            </span>
            <Unseen>, </Unseen>
            <span className="part-due" data-tone={first?.tone}>
              {first ? (first.tone === "overdue" ? `first ${first.text}` : `first due ${first.text}`) : "no date"}
            </span>
          </span>
        </button>
      </h3>
      {to !== null && (
        <button
          type="button"
          className="link part-only"
          data-testid="part-only"
          aria-pressed={alone}
          title={chosen.by === "due" ? "Show what is due by then" : undefined}
          onClick={() => choose(alone ? Object.fromEntries(Object.keys(to).map((name) => [name, ""])) : to)}
        >
          {alone ? "show all" : "only these"}
          <Unseen>: {headed(chosen.by, view.name)}</Unseen>
        </button>
      )}
    </>
  );
}
