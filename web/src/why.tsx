import { getWhy } from "./api";
import type { BasisView, ClockView, DecisionView, DirectiveView, FactorView, FlipView } from "./api.gen";
import { Note, Section, Time } from "./bits";
import { inFull } from "./likely";
import { useLoaded } from "./use";

/** Most factors shown as bars. */
const MOST_FACTORS = 6;

/** Why it matters here: every input with its source, the row that decided, the clocks, and what would change it. */
export function Why({ directive }: { directive: DirectiveView }) {
  const { because, clocks, decision, due, removes } = directive;
  const why = useLoaded(getWhy, directive.id, `${decision.table} ${decision.row} ${removes}`);
  return (
    <Section id="why" title="Why it matters here">
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
      <Inputs decision={decision} />
      {decision.forensics && (
        <Note tone="ask">Evidence is to be preserved before anything changes.</Note>
      )}
      <Clocks clocks={clocks} due={due ?? null} />
      {why.is === "here" && (
        <>
          <Factors factors={why.value.factors} removes={removes} />
          <Flips flips={why.value.flips} />
        </>
      )}
    </Section>
  );
}

function Source({ basis }: { basis: BasisView }) {
  return (
    <>
      {basis.source}
      {basis.as_of && (
        <>
          , as of <Time at={basis.as_of} />
        </>
      )}
    </>
  );
}

/** A column without the version of its decision point. */
const column = (name: string) => name.split(" v")[0];

/** What was put into the table. Decisions of older versions only say what they assumed. */
function Inputs({ decision }: { decision: DecisionView }) {
  if (decision.inputs.length === 0) {
    if (decision.assumed.length === 0) return null;
    return (
      <div className="assumed">
        <p>Not known, and assumed:</p>
        <ul>
          {decision.assumed.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </div>
    );
  }
  return (
    <dl className="inputs" data-testid="inputs">
      {decision.inputs.map((input) => (
        <div key={input.column} className={input.assumed ? "is-assumed" : undefined}>
          <dt>{column(input.column)}</dt>
          <dd>
            <b>{input.value}</b>
            <span className="sub">
              {input.assumed ? `assumed: ${input.fact}` : <Source basis={input} />}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Clocks({ clocks, due }: { clocks: ClockView[]; due: string | null }) {
  if (clocks.length === 0 && !due) return <p className="sub">No rule that counts sets a date.</p>;
  return (
    <ul className="clocks" data-testid="clocks">
      {clocks.map((clock) => (
        <li key={clock.rule}>
          due <Time at={clock.due} /> by {clock.rule} row <span className="number">{clock.row}</span> ({clock.outcome})
        </li>
      ))}
      {due && clocks[0]?.due !== due && (
        <li>
          due <Time at={due} />: set earlier, and not moved later
        </li>
      )}
    </ul>
  );
}

/** Threat x reach x impact of each vulnerability: a bar as long as its share of what the directive removes. */
function Factors({ factors, removes }: { factors: FactorView[]; removes: string }) {
  const whole = factors.reduce((sum, factor) => sum + Number(factor.points), 0);
  if (factors.length === 0) return null;
  return (
    <div className="factors" data-testid="factors">
      <p>
        Removes <b className="number">{removes}</b> risk points: threat × reach × impact
      </p>
      {factors.slice(0, MOST_FACTORS).map((factor, index) => (
        <div key={index} className="factor">
          <span>{factor.vulnerability}</span>
          <span className="sub number">
            {inFull(factor.threat_ppm)} × {inFull(factor.reach_ppm)} × {inFull(factor.impact_ppm)}
            {factor.assets > 1 && ` on ${factor.assets} assets`}
          </span>
          <meter min={0} max={whole || 1} value={Number(factor.points)} aria-label={`${factor.points} risk points`} />
        </div>
      ))}
      {factors.length > MOST_FACTORS && <p className="sub">and {factors.length - MOST_FACTORS} more</p>}
    </div>
  );
}

function Flips({ flips }: { flips: FlipView[] }) {
  if (flips.length === 0) return null;
  return (
    <div className="flips" data-testid="flips">
      <p>What would change the decision:</p>
      <ul>
        {flips.map((flip) => (
          <li key={String(flip.sooner)}>
            <b>{flip.outcome}</b> if{" "}
            {flip.set
              .map((one) => `${column(one.column)} of ${flip.vulnerability ?? "the assets"} were ${one.to}, not ${one.from}`)
              .join(" and ")}
          </li>
        ))}
      </ul>
    </div>
  );
}
