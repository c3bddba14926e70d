import { count, Note } from "./bits";
import type { Live } from "./live";
import { short, useNow } from "./time";

/** Says above everything when what is shown may not be what is. */
export function Interruption({ state }: { state: Live }) {
  const now = useNow();
  if (!state.overview || state.link === "live" || state.link === "connecting" || state.link === "paused") return null;
  const asOf = state.received === null ? "" : ` Shown is position ${count(state.overview.seq)} as of ${short(state.received, now)}.`;
  return (
    <div className="interruption" data-link={state.link} role="alert" data-testid="interruption">
      <Note tone={state.link === "offline" ? "bad" : "back"}>
        {state.problem ?? "What is shown may lag"}.{asOf} This page asks again by itself.
      </Note>
    </div>
  );
}
