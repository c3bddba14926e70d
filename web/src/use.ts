import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

import { type Decision, newKey, Problem, send, Unreachable } from "./api";
import { live } from "./live";
import { type Moment, moment } from "./moment";
import { useStore } from "./store";

export type Loaded<T> = { is: "loading" } | { is: "here"; value: T } | { is: "missing"; why: string };

/**
 * What `load` brings for `id` as of the moment that is shown, and again whenever `version` changes. While a newer version is on
 * its way the one before stays visible; what is of another moment never does.
 */
export function useLoaded<T>(load: (id: string, then: Moment) => Promise<T>, id: string, version: unknown): Loaded<T> {
  const then = useStore(moment);
  const [state, setState] = useState<{ id: string; then: Moment; loaded: Loaded<T> }>({ id, then, loaded: { is: "loading" } });
  useEffect(() => {
    let wanted = true;
    load(id, then).then(
      (value) => wanted && setState({ id, then, loaded: { is: "here", value } }),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        if (wanted) setState((before) => (before.id === id && before.then === then && before.loaded.is === "here" ? before : { id, then, loaded: { is: "missing", why } }));
      },
    );
    return () => {
      wanted = false;
    };
  }, [load, id, then, version]);
  return state.id === id && state.then === then ? state.loaded : { is: "loading" };
}

export interface Sender {
  /** Sends it; `true` once it is durable and shown. */
  submit: (decision: Decision) => Promise<boolean>;
  busy: boolean;
  problem: string | null;
}

/** Sends a decision. When no answer came, the same decision goes out under the same key and happens once. */
export function useSend(): Sender {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const unanswered = useRef<{ decision: string; key: string } | null>(null);
  const submit = useCallback(async (decision: Decision) => {
    const text = JSON.stringify(decision);
    const key = unanswered.current?.decision === text ? unanswered.current.key : newKey();
    unanswered.current = { decision: text, key };
    setBusy(true);
    setProblem(null);
    try {
      await send(decision, key);
      unanswered.current = null;
      await live.refresh();
      return true;
    } catch (error) {
      // A 5xx may mean that the outcome is unknown: only a clear no ends the decision.
      if (error instanceof Problem && error.status < 500) unanswered.current = null;
      const lost = error instanceof Unreachable;
      setProblem(lost ? "Tenon did not answer. Try again: it happens once, even if the first request arrived." : (error as Error).message);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { submit, busy, problem };
}

/** How near to what is in sight something begins to count as seen. */
const NEAR = "200px";
/** How long it must stay there, in milliseconds: whoever scrolls past, or a page that is being laid out, sees nothing of it. */
const STAYS_MS = 300;

/** A value that follows while a place is in sight, and else stays as it last was there; `null` before it is first seen. */
export function useInSight<T>(value: T): [place: RefObject<HTMLDivElement | null>, seen: T | null] {
  const place = useRef<HTMLDivElement>(null);
  const [visible, setVisible] = useState(false);
  const [seen, setSeen] = useState<T | null>(null);
  useEffect(() => {
    if (!place.current) return;
    let stays: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        clearTimeout(stays);
        if (entries.at(-1)?.isIntersecting) stays = setTimeout(() => setVisible(true), STAYS_MS);
        else setVisible(false);
      },
      { rootMargin: NEAR },
    );
    observer.observe(place.current);
    return () => {
      clearTimeout(stays);
      observer.disconnect();
    };
  }, []);
  if (visible && seen !== value) setSeen(value);
  return [place, visible ? value : seen];
}
