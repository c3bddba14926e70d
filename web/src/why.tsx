import { getWhy } from "./api";
import type { ClockView, DecisionView, DirectiveView, FactorView, FlipView, SetView, TableView } from "./api.gen";
import { count, Note, Section } from "./bits";
import { Clocks } from "./clocks";
import { column, DecisionTable } from "./decision-table";
import { inFull } from "./likely";
import { MovedBy } from "./moves";
import { openFrom } from "./place";
import { Source } from "./source";
import { useLoaded } from "./use";
import { Waterfall } from "./waterfall";

/** Most losses that are drawn. */
const MOST_LOSSES = 6;

/** Why it matters here: every input with its source, the row that decided, the clocks, and what would change it. */
export function Why({ directive }: { directive: DirectiveView }) {
  const { because, clocks, decision, due, removes } = directive;
  const why = useLoaded(getWhy, directive.id, `${decision.table} ${decision.row} ${removes}`);
  return (
    <Section id="why" title="Why it matters here">
      {because.length > 0 && (
        <ul className="because">
          {because.map((basis, index) => (
            // Facts may repeat, and the list has no other identity than its order.
            <li key={index} data-testid="because">
              <span>{basis.fact}</span>
              <span className="sub">
                <Source basis={basis} />
              </span>
            </li>
          ))}
        </ul>
      )}
      <Explained
        decision={decision}
        clocks={clocks}
        due={due ?? null}
        removes={removes}
        why={why.is === "here" ? { table: why.value.table ?? null, factors: why.value.factors, flips: why.value.flips } : null}
      />
      <MovedBy directive={directive.id} removes={removes} />
      {why.is === "missing" && <Note tone="bad">{why.why}</Note>}
    </Section>
  );
}

interface Explanation {
  decision: DecisionView;
  clocks: ClockView[];
  due: string | null;
  removes: string;
  /** Absent while it is on its way. */
  why: { table: TableView | null; factors: FactorView[]; flips: FlipView[] } | null;
}

/** A priority to the last input. */
export function Explained({ decision, clocks, due, removes, why }: Explanation) {
  return (
    <>
      <h3>What decides</h3>
      <p className="decided" data-testid="decision">
        Table <b>{decision.table}</b>, row <b className="number">{decision.row}</b> decides
        {decision.vulnerability && (
          <>
            {" "}
            for <b>{decision.vulnerability}</b>
          </>
        )}
        : <b>{decision.outcome}</b>
      </p>
      <DecisionTable key={`${decision.table} ${decision.row}`} decision={decision} table={why?.table ?? null} />
      {why && <Flips flips={why.flips} />}
      {decision.forensics && <Note tone="ask">Evidence is to be preserved before anything changes.</Note>}
      <h3>Until when</h3>
      <Clocks clocks={clocks} due={due} />
      {why && <Losses factors={why.factors} removes={removes} />}
    </>
  );
}

/** Threat x reach x impact of each vulnerability: the largest loss drawn at once, the others when they are opened. */
function Losses({ factors, removes }: { factors: FactorView[]; removes: string }) {
  const rest = factors.slice(MOST_LOSSES);
  const points = (some: FactorView[]) => some.reduce((sum, factor) => sum + Number(factor.points), 0);
  if (factors.length === 0) return null;
  const whole = points(factors);
  return (
    <>
      <h3>What it removes</h3>
      <div className="losses" data-testid="factors">
        <p>
          <b className="number">{removes}</b> risk points: threat × reach × impact{factors.some(({ control }) => control) && " × controls"} × assets{factors.length > 1 && `, of ${count(factors.length)} losses the largest first`}
        </p>
        {factors.slice(0, MOST_LOSSES).map((factor, index) => (
          <details key={`${factor.vulnerability} ${index}`} className="loss" data-testid="loss" open={index === 0}>
            <summary>
              <span className="name">{factor.vulnerability}</span>
              <span className="number points">
                {factor.points}
                <span className="sub"> {share(Number(factor.points), whole)}</span>
              </span>
              <span className="sub number product">
                {inFull(factor.threat_ppm)} × {inFull(factor.reach_ppm)} × {inFull(factor.impact_ppm)}{factor.control && ` × ${inFull(factor.controls_ppm)}`}
                {factor.assets > 1 && ` on ${count(factor.assets)} assets`}
              </span>
            </summary>
            <Waterfall factor={factor} />
            <p className="sub">
              <button type="button" className="link" onClick={() => openFrom(factor.vulnerability)}>
                Where {factor.vulnerability} is
              </button>
            </p>
          </details>
        ))}
        {rest.length > 0 && (
          <p className="sub">
            and {count(rest.length)} more, {points(rest).toFixed(1)} risk points together
          </p>
        )}
      </div>
    </>
  );
}

/** How much of all it is. */
function share(part: number, whole: number): string {
  if (whole <= 0) return "";
  const percent = (part / whole) * 100;
  return percent > 0 && percent < 1 ? "under 1 %" : `${Math.round(percent)} %`;
}

/** Most vulnerabilities that are named; the rest is counted. */
const MOST_NAMED = 4;

/** What has to change, in words; of vulnerabilities that change alike at once. */
function conditions(set: SetView[]): string[] {
  const alike = new Map<string, { first: SetView; ids: string[] }>();
  for (const one of set) {
    const key = JSON.stringify([one.vulnerability == null, one.column, one.from, one.to]);
    const known = alike.get(key) ?? { first: one, ids: [] };
    if (one.vulnerability != null) known.ids.push(one.vulnerability);
    alike.set(key, known);
  }
  return [...alike.values()].map(({ first, ids }) => {
    const named = ids.slice(0, MOST_NAMED).join(", ") + (ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : "");
    return `${column(first.column)} of ${named || "the assets"} were ${first.to}, not ${first.from.join(" or ")}`;
  });
}

function Flips({ flips }: { flips: FlipView[] }) {
  if (flips.length === 0) return null;
  return (
    <div className="flips" data-testid="flips">
      <p>What would change the decision:</p>
      <ul>
        {flips.map((flip) => (
          <li key={String(flip.sooner)}>
            {flip.sooner ? "sooner" : "later"}: <b>{flip.outcome}</b> if{" "}
            {conditions(flip.set).join(" and ")}
          </li>
        ))}
      </ul>
    </div>
  );
}
