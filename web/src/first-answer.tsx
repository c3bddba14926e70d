import type { Live } from "./live";

/** Before Tenon has answered for the first time. */
export function FirstAnswer({ state }: { state: Live }) {
  if (!state.problem) {
    return (
      <main className="first" aria-busy="true" data-testid="loading">
        <p>Reading the record…</p>
      </main>
    );
  }
  return (
    <main className="first" data-testid="no-answer">
      <h2>{state.link === "offline" ? "Tenon does not answer" : "Tenon cannot show its record"}</h2>
      {state.link === "offline" ? (
        <p>
          Is it running on this address? <code>tenon up</code> starts it. This page asks again by itself.
        </p>
      ) : (
        <p>{state.problem}. This page asks again by itself.</p>
      )}
    </main>
  );
}
