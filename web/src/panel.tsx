import { type ReactNode, useEffect, useRef } from "react";

import { PastTag } from "./as-of";
import { close, from } from "./place";

interface Frame {
  id: string;
  title: ReactNode;
  sub?: ReactNode;
  foot?: ReactNode;
  children: ReactNode;
}

/** The panel beside (narrow: over) the lists. */
export function PanelFrame({ id, title, sub, foot, children }: Frame) {
  const heading = useRef<HTMLHeadingElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const back = from();
  // Where the keyboard stands in a list, it stays there: the walk through the list goes on beside the panel.
  useEffect(() => {
    content.current?.scrollTo(0, 0);
    // Beside the panel the lists are laid out anew: what was opened stays in sight.
    document.querySelector(`.row[data-id="${id}"]`)?.scrollIntoView({ block: "nearest" });
    if (!document.activeElement?.matches("[data-id]") || window.matchMedia("(max-width: 63.99rem)").matches) {
      heading.current?.focus({ preventScroll: true });
    }
  }, [id]);
  return (
    <aside className="panel" aria-labelledby="panel-title" data-testid="panel" data-panel-id={id}>
      <header className="panel-head">
        <div>
          {back && (
            <button type="button" className="back" data-testid="back" onClick={() => window.history.back()}>
              <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                <path d="M7.5 2 3.5 6l4 4" className="line" />
              </svg>
              back to {back}
            </button>
          )}
          <h2 id="panel-title" ref={heading} tabIndex={-1}>
            {title}
          </h2>
          {sub && <p className="sub">{sub}</p>}
          <PastTag />
        </div>
        <button type="button" className="button quiet close" aria-label="Close" title="Close (Esc)" data-testid="close" onClick={closePanel}>
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <path d="m2 2 8 8m0-8-8 8" className="line" />
          </svg>
        </button>
      </header>
      <div className="panel-body" ref={content} tabIndex={-1}>
        {children}
      </div>
      {foot && <footer className="panel-foot">{foot}</footer>}
    </aside>
  );

  function closePanel(): void {
    close();
    document.querySelector<HTMLElement>(`.row[data-id="${id}"]`)?.focus();
  }
}
