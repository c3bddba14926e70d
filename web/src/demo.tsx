import type { DemoView } from "./api.gen";
import { Sign, Time } from "./bits";
import { open, place } from "./place";
import { Store, useStore } from "./store";
import { useNow } from "./time";

/** Whether the visitor wants to be told; for as long as this page is open. */
const told = new Store(true);

/** Above everything: nothing here is real, and its time runs ahead. */
export function DemoMark({ demo }: { demo: DemoView }) {
  const shown = useStore(told);
  const now = useNow();
  return (
    <p className="demo-mark" data-testid="demo-mark">
      <span>
        <b>Demonstration</b>: every host and every advisory here is invented.
      </span>
      <span className="demo-clock">
        its time <Time at={new Date(now).toISOString()} /> {demo.pace > 0 && <span className="faint">{demo.pace}× as fast</span>}
      </span>
      {!shown && (
        <button type="button" className="button quiet" data-testid="guide-show" onClick={() => told.set(true)}>
          What happens?
        </button>
      )}
    </p>
  );
}

/** What happens now, and what there is to do. */
export function DemoGuide({ demo }: { demo: DemoView }) {
  const here = useStore(place);
  if (!useStore(told)) return null;
  const { directive } = demo;
  return (
    <section className="demo-guide" aria-label="What happens in the demonstration" data-testid="guide" data-part={demo.part}>
      <header>
        <h2>
          Part {demo.part} of {demo.parts}
        </h2>
        {demo.waits && (
          <span className="stage" data-tone="ask" data-testid="guide-waits">
            <Sign tone="ask" />
            <span>waits for you</span>
          </span>
        )}
        {directive && here?.id !== directive && (
          <button type="button" className="button" data-testid="guide-open" onClick={() => open(directive)}>
            Open it
          </button>
        )}
        <button type="button" className="button quiet close" aria-label="Hide the guide" title="Hide the guide" data-testid="guide-hide" onClick={() => told.set(false)}>
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <path d="m2 2 8 8m0-8-8 8" className="line" />
          </svg>
        </button>
      </header>
      <p role="status">{demo.happens}</p>
      <ul className="demo-can" aria-label="What you can do">
        {demo.can.map((what) => (
          <li key={what}>{what}</li>
        ))}
      </ul>
    </section>
  );
}
