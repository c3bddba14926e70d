import { useState } from "react";

import type { DetectionView } from "./api.gen";
import { Ask } from "./ask";
import { plural, Section, Time } from "./bits";
import { inFull } from "./likely";
import { live } from "./live";
import { openFrom } from "./place";
import { useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** Attacks that sensors saw and that count, the last first; nothing where there are none. */
export function Attacks({ attacks }: { attacks: DetectionView[] }) {
  if (attacks.length === 0) return null;
  return (
    <Section id="attacks" title="Attacks seen" aside={<p className="hint">{plural(attacks.length, "detection")}: on a host it counts as exploited, whatever feeds say</p>}>
      <ul className="findings">
        {attacks.map((one) => (
          <Attack key={one.id} attack={one} />
        ))}
      </ul>
    </Section>
  );
}

/** Where it was seen: a honeypot is no host, and nothing leads there. */
function Place({ attack: { kind, asset, host, zone } }: { attack: DetectionView }) {
  if (asset == null) return <>on a honeypot{zone && <> in zone {zone}</>}</>;
  return (
    <>
      on{" "}
      <button type="button" className="link" onClick={() => openFrom(asset)}>
        <b>{host}</b>
      </button>
      {kind === "incident" && ", which it took over"}
    </>
  );
}

function Attack({ attack: one }: { attack: DetectionView }) {
  const { link } = useStore(live);
  const allowed = useMay("assess");
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const off = sender.busy || link === "offline";
  return (
    <li className="finding" data-testid="attack">
      <p>
        <button type="button" className="link" onClick={() => openFrom(one.vulnerability)}>
          <b>{one.vulnerability}</b>
        </button>{" "}
        <Place attack={one} />: {one.what}
      </p>
      {one.directives.length === 0 && <p>Nothing answers it: it is not open there, no fix is offered, or its risk is accepted.</p>}
      <p>
        It makes the same likelier elsewhere: {one.zone && <>{inFull(one.zone_ppm)} in zone {one.zone}, </>}
        {inFull(one.estate_ppm)} in the rest of the estate, half as much with each week.
      </p>
      <p className="sub">
        {one.id}, seen <Time at={one.seen} /> by {one.sensor}
        {one.reference && <> ({one.reference})</>}; counts until <Time at={one.until} />
      </p>
      {asking && (
        <Ask
          id={`dismiss-${one.id}`}
          label="Why was it no attack? What followed from it is taken back at once."
          go="Dismiss"
          sender={sender}
          off={off}
          onSay={async (why) => {
            if (await sender.submit({ do: "dismiss", detection: one.id, body: { why } })) setAsking(false);
          }}
          onCancel={() => setAsking(false)}
        />
      )}
      {allowed && !asking && (
        <div className="buttons">
          <button type="button" className="button quiet" data-testid="dismiss-detection" disabled={off} onClick={() => setAsking(true)}>
            Dismiss…
          </button>
        </div>
      )}
      {sender.problem && <p className="problem" role="alert">{sender.problem}</p>}
    </li>
  );
}
