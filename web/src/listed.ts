import { useCallback, useEffect, useRef, useState } from "react";

import { type Moment, moment } from "./moment";
import { useStore } from "./store";

/** Items that one question brings. */
export const CHUNK = 100;

/** A page of a list, as the API gives it. */
export interface Page {
  generation: number;
  total: number;
  items: unknown[];
}

export type Item<P extends Page> = P["items"][number];

/** A list of which only what is in sight is here. */
export interface Listed<P extends Page> {
  /** The page that came last: what it says of the whole list holds for all of it. */
  page: P | null;
  /** The item at a place; absent while it is on its way. */
  at: (place: number) => Item<P> | undefined;
  /** Says which places are in sight: what of them is missing is asked for. */
  show: (places: number[]) => void;
  /** Why nothing came. */
  problem: string | null;
}

interface Held<P extends Page> {
  query: string;
  then: Moment;
  epoch: number;
  page: P;
  chunks: Map<number, Item<P>[]>;
}

/**
 * The list that `load` gives for `query` as of the moment that is shown, a chunk at a time. When `version` changes, what is in sight is asked for again and
 * nothing else; until it comes, what is shown stays.
 */
export function useListed<P extends Page>(load: (query: string, from: number, limit: number, then: Moment) => Promise<P>, query: string, version: number): Listed<P> {
  const then = useStore(moment);
  const [held, setHeld] = useState<Held<P> | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const epoch = useRef(0);
  const sight = useRef([0]);
  const asked = useRef(new Set<number>());
  const asking = useRef(query);

  const fetch = useCallback(
    (chunks: number[], anew: boolean) => {
      const now = epoch.current;
      for (const chunk of chunks) asked.current.add(chunk);
      Promise.all(chunks.map((chunk) => load(query, chunk * CHUNK, CHUNK, then))).then(
        (pages) => {
          const last = pages.at(-1);
          if (now !== epoch.current || !last) return;
          setProblem(null);
          setHeld((before) => {
            const goesOn = !anew && before?.epoch === now;
            const all = new Map(goesOn ? before.chunks : []);
            chunks.forEach((chunk, index) => all.set(chunk, pages[index]?.items ?? []));
            return { query, then, epoch: now, page: last, chunks: all };
          });
        },
        (error: unknown) => {
          if (now !== epoch.current) return;
          for (const chunk of chunks) asked.current.delete(chunk);
          setProblem(error instanceof Error ? error.message : String(error));
        },
      );
    },
    [load, query, then],
  );

  useEffect(() => {
    epoch.current += 1;
    asked.current = new Set();
    if (asking.current !== query) sight.current = [0];
    asking.current = query;
    fetch(sight.current, true);
  }, [fetch, query, version]);

  const show = useCallback(
    (places: number[]) => {
      // Where no row is in sight, what the first page says of the whole list still is.
      sight.current = places.length === 0 ? [0] : [...new Set(places.map((place) => Math.floor(place / CHUNK)))];
      const missing = sight.current.filter((chunk) => !asked.current.has(chunk));
      if (missing.length > 0) fetch(missing, false);
    },
    [fetch],
  );

  // What answers another question is not shown as the answer to this one.
  const mine = held?.query === query && held.then === then ? held : null;
  const at = useCallback((place: number) => mine?.chunks.get(Math.floor(place / CHUNK))?.[place % CHUNK], [mine]);
  return { page: mine?.page ?? null, at, show, problem };
}
