import { getAssetReach } from "./api";
import type { AssetReachView } from "./api.gen";
import { Note, Section } from "./bits";
import { between } from "./likely";
import { Way } from "./reach-way";
import { useLoaded } from "./use";

/** Whether an attacker gets to an asset, and the likeliest way into its zone. */
export function AssetReach({ id, version }: { id: string; version: number }) {
  const loaded = useLoaded(getAssetReach, id, version);
  const reach = loaded.is === "here" ? loaded.value : null;
  return (
    <Section id="asset-reach" title="Can an attacker get here?" busy={loaded.is === "loading"} aside={reach?.zone != null && <p className="hint">in {reach.zone}</p>}>
      {loaded.is === "missing" && <Note tone="bad">{loaded.why}</Note>}
      {reach && <Answer reach={reach} />}
    </Section>
  );
}

function Answer({ reach: { zone, taken, reached, path, assumed } }: { reach: AssetReachView }) {
  if (zone == null || taken == null || reached == null) {
    return (
      <p className="empty" data-testid="asset-reach-answer">
        It stands in no zone: nothing is said of it, which does not mean “not reached”.
      </p>
    );
  }
  return (
    <div className="reach-answer">
      <p data-testid="asset-reach-answer">
        {taken.most === 0 ? (
          <>No way that Tenon knows of takes this host within 30 days.</>
        ) : (
          <>
            A foothold on it within 30 days has a probability of <b className="number">{between(taken)}</b>; an attacker is in its zone with {between(reached)}.
          </>
        )}
      </p>
      {assumed && <p className="sub">Nobody states zones in which attacks begin: told from listeners and addresses alone.</p>}
      {path.length > 0 && <Way path={path} />}
    </div>
  );
}
