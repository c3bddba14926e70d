import { useState } from "react";

import { count, Said, Sign } from "./bits";
import { useCommands } from "./commands";
import { useFold } from "./fold";
import { type Live, live } from "./live";
import { backToNow, entryOf, lookBackTo, moment } from "./moment";
import { useStore } from "./store";
import { short, timeNow, whole } from "./time";

/** A moment in words. What is neither an entry nor a time stays as it is. */
function told(then: string, as: (time: number) => string): string {
  const entry = entryOf(then);
  if (entry !== null) return `entry ${count(entry)}`;
  const time = Date.parse(then);
  return Number.isNaN(time) ? then : as(time);
}

/** A time as the browser's own field takes it: in the reader's zone, without naming it. */
function local(time: number): string {
  const shifted = new Date(time - new Date(time).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, time % 60_000 < 1_000 ? 16 : 19);
}

/** As of when the record is shown, and the way to another moment. */
export function AsOf() {
  const then = useStore(moment);
  const { overview } = useStore(live);
  const { open, setOpen, box, button, ended, escape } = useFold();

  useCommands([{ name: "Look back…", on: "the record as it stood", run: () => setOpen(true) }]);

  return (
    <div
      className="as-of"
      ref={box}
      onKeyDown={escape}
      onBlur={({ currentTarget, relatedTarget }) => relatedTarget && !currentTarget.contains(relatedTarget) && setOpen(false)}
    >
      <button type="button" className="jump" ref={button} aria-expanded={open} aria-controls="as-of-form" data-testid="as-of" onClick={() => setOpen(!open)}>
        As of <span className="number">{then === null ? "now" : told(then, (time) => short(time, timeNow()))}</span>
      </button>
      {open && <Choice then={then} shown={overview?.time ?? null} onDone={ended} />}
    </div>
  );
}

function Choice({ then, shown, onDone }: { then: string | null; shown: string | null; onDone: () => void }) {
  const chosen = then === null || entryOf(then) === null ? then : shown;
  const time = chosen === null ? Number.NaN : Date.parse(chosen);
  const [text, setText] = useState(local(Number.isNaN(time) ? timeNow() - (timeNow() % 60_000) : time));
  const said = Date.parse(text);
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return (
    <form
      id="as-of-form"
      className="as-of-form"
      data-testid="as-of-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (Number.isNaN(said)) return;
        lookBackTo(said);
        onDone();
      }}
    >
      <label htmlFor="as-of-time">Show the record as it stood on</label>
      {/* A second is as fine as times are shown. */}
      <input id="as-of-time" type="datetime-local" step={text.length > 16 ? 1 : 60} value={text} onChange={(event) => setText(event.target.value)} required autoFocus data-testid="as-of-time" />
      <div className="buttons">
        <button type="submit" className="button primary" disabled={Number.isNaN(said)} data-testid="as-of-show">
          Show
        </button>
        <button
          type="button"
          className="button quiet"
          disabled={then === null}
          data-testid="as-of-now"
          onClick={() => {
            backToNow();
            onDone();
          }}
        >
          Now
        </button>
      </div>
      <p className="hint">
        Your time zone, {timeZone}. Findings and risk points are made by today's rules from what was recorded by then; people go by
        today's names.
      </p>
    </form>
  );
}

const BackToNow = () => (
  <button type="button" className="button" data-testid="back-to-now" onClick={backToNow}>
    Back to now
  </button>
);

/** Above everything: this is not how it is. */
export function PastMark({ then, state: { overview, invented } }: { then: string; state: Live }) {
  if (!overview) return null;
  return (
    <div className="past-mark" role="status" data-testid="past-mark">
      <p>
        <Sign tone="back" />
        <span>
          {invented && <b>Demonstration: </b>}
          As it stood {entryOf(then) === null ? "on" : "after"} <b>{told(then, whole)}</b>, not live
        </span>
      </p>
      <p className="sub">
        <span>
          entry <span className="number">{count(overview.seq)}</span>
          {overview.time && `, recorded ${whole(Date.parse(overview.time))}`}
        </span>
      </p>
      <BackToNow />
    </div>
  );
}

/** The same in short, for the panel where it covers the mark. */
export function PastTag() {
  const then = useStore(moment);
  if (then === null) return null;
  return (
    <p className="past-tag narrow-only" data-testid="past-tag">
      <Sign tone="back" />
      <span>as it stood {entryOf(then) === null ? "on" : "after"} {told(then, whole)}, not live</span>
    </p>
  );
}

/** Before Tenon has made the record of then, or where it cannot. */
export function PastAnswer({ then, state: { problem } }: { then: string; state: Live }) {
  const when = `${entryOf(then) === null ? "on" : "after"} ${told(then, whole)}`;
  if (problem === null) {
    return (
      <main className="first" aria-busy="true" data-testid="loading">
        <h2>Making the record as it stood {when}…</h2>
        <p>Tenon replays what was recorded up to then; of a long record that takes a while.</p>
        <BackToNow />
      </main>
    );
  }
  return (
    <main className="first" data-testid="no-past" role="alert">
      <h2>The record cannot be shown as it stood {when}</h2>
      <p data-testid="past-problem">
        <Said text={problem} />.
      </p>
      <div className="buttons">
        <BackToNow />
        <button type="button" className="button quiet" data-testid="past-again" onClick={() => live.again()}>
          Ask again
        </button>
      </div>
    </main>
  );
}

/** Why something cannot be shown; it may have come, or gone, since then. */
export function AsThen({ why }: { why: string }) {
  const then = useStore(moment);
  return <>{then === null ? why : `As it stood then: ${why}`}</>;
}
