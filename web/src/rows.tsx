import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

import { CHUNK, type Item, type Listed, type Page } from "./listed";

/** Rows drawn above and below what is in sight. */
export const BEYOND = 8;
/** No browser draws an element that is much higher, in pixels. */
export const HIGHEST = 15_000_000;
/** Height of a row before one was drawn, in pixels. */
export const GUESS = 48;

interface Shown<P extends Page> {
  listed: Listed<P>;
  total: number;
  /** What tells one list from another: with a new one, the window begins at the top. */
  of: string;
  list?: RefObject<HTMLUListElement | null>;
  row: (item: Item<P>, place: number) => ReactNode;
  className?: string;
}

/** The rows of a list: all of a short one, of a long one those in sight, in a window that scrolls. */
export function Rows<P extends Page>(props: Shown<P>) {
  return props.total <= CHUNK ? <Short {...props} /> : <Long {...props} />;
}

export const placesFrom = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);

/** The rows at these places; room for those that are on their way. */
export const rowsAt = <P extends Page>(at: number[], listed: Listed<P>, height: number, row: Shown<P>["row"]): ReactNode[] =>
  at.map((place) => {
    const item = listed.at(place);
    if (item !== undefined) return row(item, place);
    return <li key={`missing ${place}`} className="missing" style={{ height }} aria-hidden="true" />;
  });

function Short<P extends Page>({ listed, total, list, row, className = "rows" }: Shown<P>) {
  return (
    <ul className={className} ref={list}>
      {placesFrom(0, total).map((place) => {
        const item = listed.at(place);
        return item === undefined ? null : row(item, place);
      })}
    </ul>
  );
}

function Long<P extends Page>({ listed, total, of, list, row, className = "rows" }: Shown<P>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(GUESS);
  const [view, setView] = useState({ top: 0, inner: 600 });
  const { show } = listed;

  // All rows are of one height, which depends on how wide the list is.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => {
      const drawn = box.querySelector<HTMLElement>("li[data-place]")?.getBoundingClientRect().height;
      if (drawn) setHeight((before) => (Math.abs(before - drawn) < 0.5 ? before : drawn));
      setView((before) => (before.inner === box.clientHeight ? before : { ...before, inner: box.clientHeight }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [listed.page]);

  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [of]);

  // A list too high to be drawn is scrolled through faster.
  const whole = Math.min(total * height, HIGHEST);
  const fits = Math.max(1, view.inner / height);
  const most = Math.max(1, whole - view.inner);
  const begins = (Math.min(view.top, most) / most) * Math.max(0, total - fits);
  const first = Math.max(0, Math.floor(begins) - BEYOND);
  const last = Math.min(total, Math.ceil(begins + fits) + BEYOND);
  useEffect(() => show(placesFrom(first, last)), [show, first, last]);

  const shift = view.top - (begins - first) * height;
  return (
    <div
      className="window"
      ref={scroller}
      tabIndex={-1}
      data-testid="window"
      onScroll={(event) => {
        const { scrollTop: top, clientHeight: inner } = event.currentTarget;
        setView({ top, inner });
      }}
    >
      <div style={{ height: whole }}>
        <ul className={className} ref={list} style={{ transform: `translateY(${Math.max(0, shift)}px)` }}>
          {rowsAt(placesFrom(first, last), listed, height, row)}
        </ul>
      </div>
    </div>
  );
}
