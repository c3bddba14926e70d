import { useState } from "react";

import { getDirectiveReach } from "./api";
import type { DirectiveReachView, ZoneAfterView } from "./api.gen";
import { Note, plural, Section } from "./bits";
import { between } from "./likely";
import { Way } from "./reach-way";
import { useLoaded } from "./use";

/** What doing a directive takes from an attacker. The whole estate is solved twice for it: only when somebody asks. */
export function DirectiveReach({ id, version }: { id: string; version: number }) {
  const [asked, setAsked] = useState(false);
  return (
    <Section id="directive-reach" title="What it takes from an attacker">
      {asked ? (
        <Answer id={id} version={version} />
      ) : (
        <p className="reach-answer">
          <button type="button" className="button" data-testid="ask-directive-reach" onClick={() => setAsked(true)}>
            Work it out
          </button>
        </p>
      )}
    </Section>
  );
}

function Answer({ id, version }: { id: string; version: number }) {
  const loaded = useLoaded(getDirectiveReach, id, version);
  if (loaded.is === "loading") return <p className="empty" aria-busy="true">Solving the estate with it and without…</p>;
  if (loaded.is === "missing") return <Note tone="bad">{loaded.why}</Note>;
  return <Told reach={loaded.value} />;
}

function Told({ reach: { saves, loses, loses_after, zones, unplaced, assumed } }: { reach: DirectiveReachView }) {
  return (
    <div className="reach-answer" data-testid="directive-reach-answer">
      <p>
        Done on all of its assets, it saves <b className="number">{saves}</b> of at most {loses} risk points within 30 days; {loses_after} are left.
      </p>
      {assumed && <p className="sub">Nobody states zones in which attacks begin: told from listeners and addresses alone.</p>}
      {unplaced > 0 && (
        <Note tone="ask">{plural(unplaced, "of its assets stands", "of its assets stand")} in no zone: nothing is said of them.</Note>
      )}
      <ul className="findings">
        {zones.map((zone) => (
          <Zone key={zone.name} zone={zone} />
        ))}
      </ul>
    </div>
  );
}

function Zone({ zone: { name, own, reached, reached_after, loses, loses_after, path } }: { zone: ZoneAfterView }) {
  const [now, then] = [between(reached), between(reached_after)];
  return (
    <li className="finding" data-testid="zone-after">
      <p>
        <b>{name}</b> {!own && <span className="faint">none of its hosts</span>}
      </p>
      <p className="sub">
        {now === then ? `an attacker is there with ${now}, as before` : `an attacker is there with ${then}, now ${now}`} · loses at most {loses_after}, now {loses}
      </p>
      {now !== then && path.length > 0 && (
        <details>
          <summary>The likeliest way there now</summary>
          <Way path={path} />
        </details>
      )}
    </li>
  );
}
