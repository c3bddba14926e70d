import type { PolicyPreviewView, RulingView } from "./api.gen";
import { count, Note, plural, Time } from "./bits";
import { openFrom } from "./place";

/** Directives that fit; the command line has them all. */
const FIT = 30;

/** What another policy would say of what is open, beside what counts now. */
export function PolicyEffects({ preview, stale }: { preview: PolicyPreviewView; stale: boolean }) {
  const { same, changed, approved_at_once, directives } = preview;
  const rest = changed - Math.min(directives.length, FIT);
  return (
    <div className="effects" data-testid="policy-effects" data-stale={stale ? "" : undefined} aria-busy={stale}>
      {same && <p className="empty">This is the policy that counts.</p>}
      {!same && changed === 0 && <p className="empty">Nothing that is open now: it says the same of each directive.</p>}
      {approved_at_once > 0 && (
        <Note tone="ask" testid="policy-at-once">
          It would approve the change on {plural(approved_at_once, "asset")} at once: there the rehearsal has passed.
        </Note>
      )}
      {changed > 0 && (
        <>
          <p className="sub">It says something else of {plural(changed, "open directive")}.</p>
          <ul className="rows">
            {directives.slice(0, FIT).map((one) => (
              <li key={one.id} className="effect" data-testid="policy-effect">
                <p>
                  <button type="button" className="link" onClick={() => openFrom(one.id)}>
                    <b>{one.title}</b>
                  </button>{" "}
                  <span className="sub">
                    {one.id}, {one.group}
                  </span>
                </p>
                <div className="sides">
                  <Side name="now" rulings={one.before} />
                  <Side name="then" rulings={one.after} />
                </div>
              </li>
            ))}
          </ul>
          {rest > 0 && (
            <p className="sub">
              and {count(rest)} more: <code>tenon policy test FILE --against live</code>
            </p>
          )}
        </>
      )}
    </div>
  );
}

function Side({ name, rulings }: { name: string; rulings: RulingView[] }) {
  return (
    <div className="side">
      <h4>{name}</h4>
      {rulings.map((ruling, at) => (
        <div key={at}>
          <p>
            {ruling.approval} <span className="sub">on {plural(ruling.assets, "asset")}</span>
          </p>
          <p className="sub">
            {ruling.rule ? `by ${ruling.rule}` : "a rule that asks for the rehearsal"}
            {ruling.not_automatic && `; not by itself: ${ruling.not_automatic}`}
          </p>
          {ruling.waits && (
            <p className="sub">
              {ruling.waits}
              {ruling.opens && (
                <>
                  , from <Time at={ruling.opens} />
                </>
              )}
            </p>
          )}
        </div>
      ))}
    </div>
  );
}
