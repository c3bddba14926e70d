import { getAssetReach } from "./api";
import type { AssetReachView } from "./api.gen";
import { Note, Section } from "./bits";
import { between } from "./likely";
import { Way } from "./reach-way";
import { useLoaded } from "./use";

const points = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const round = (said: string) => points.format(Number(said));

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

function Answer({ reach: { zone, taken, reached, path, blast, assumed } }: { reach: AssetReachView }) {
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
      {blast && (
        <p data-testid="asset-blast">
          Once an attacker is on it, at most <b className="number">{round(blast.loses)}</b> risk points are lost
          {blast.zones.length > 0 && `: ${blast.zones.map(({ name, loses, reached }) => `${round(loses)} in ${name}, where they get with ${between(reached)}`).join("; ")}`}.
        </p>
      )}
    </div>
  );
}
