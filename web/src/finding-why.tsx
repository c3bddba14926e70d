import { useState } from "react";

import { getFindingWhy } from "./api";
import { Note, Time } from "./bits";
import { openFrom } from "./place";
import { useLoaded } from "./use";
import { Explained } from "./why";

/** Why a vulnerability has the priority that it has on one asset: asked for when somebody wants to know. */
export function FindingWhy({ asset, vulnerability, version }: { asset: string; vulnerability: string; version: number }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="link" aria-expanded={open} data-testid="finding-why" onClick={() => setOpen(!open)}>
        {open ? "Why here: hide" : "Why here"}
      </button>
      {open && <Answer both={`${asset} ${vulnerability}`} version={version} />}
    </>
  );
}

function Answer({ both, version }: { both: string; version: number }) {
  const loaded = useLoaded(getFindingWhy, both, version);
  if (loaded.is === "loading") return <p className="empty" aria-busy="true">Asking why…</p>;
  if (loaded.is === "missing") return <Note tone="bad">{loaded.why}</Note>;
  const { decision, table, clocks, due, removes, factor, flips, directive, directive_due, accepted } = loaded.value;
  return (
    <div className="explained-here" data-testid="explained-here">
      {directive ? (
        <p>
          <button type="button" className="link" onClick={() => openFrom(directive)}>
            {directive}
          </button>{" "}
          closes it here{directive_due && <>, due <Time at={directive_due} /></>}. What follows is of this one alone.
        </p>
      ) : (
        <p>No open directive closes it here.</p>
      )}
      {accepted && <p>Its risk is accepted here: {accepted}.</p>}
      <Explained decision={decision} clocks={clocks} due={due ?? null} removes={removes} why={{ table: table ?? null, factors: [factor], flips }} />
    </div>
  );
}
