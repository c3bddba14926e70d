import { getMoves } from "./api";
import { Note, Time } from "./bits";
import { useLoaded } from "./use";

const points = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });

/** Which entries of the record made the expected loss what it is, the last first; nothing where it is as it was raised. */
export function MovedBy({ directive, removes }: { directive: string; removes: string }) {
  const moves = useLoaded(getMoves, directive, removes);
  if (moves.is === "missing") return <Note tone="bad">{moves.why}</Note>;
  if (moves.is !== "here" || moves.value.items.length < 2) return null;
  const { items, more } = moves.value;
  return (
    <>
      <h3>What moved it</h3>
      <ol className="moves" data-testid="moves">
        {items.map(({ seq, time, said, before, points: after }) => (
          <li key={seq} data-testid="move">
            <span className="number">
              {before == null ? "raised with " : `${points.format(Number(before))} → `}
              <b>{points.format(Number(after))}</b>
            </span>
            <span>
              {said}{" "}
              <span className="sub">
                <Time at={time} />, entry {seq}
              </span>
            </span>
          </li>
        ))}
      </ol>
      {more && <p className="sub">And more before.</p>}
    </>
  );
}
