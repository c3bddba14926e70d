import type { BasisView, FactorView } from "./api.gen";
import { plural, Unseen } from "./bits";
import { inFull } from "./likely";
import { Source } from "./source";

/** A certain loss of everything on one asset, in risk points. */
const CERTAIN = 100;
/** The smallest part of a risk point that is counted. */
const LEAST = 1e-6;
/** Most words under the scale. */
const MOST_TICKS = 5;

const number = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

interface Step {
  /** What is multiplied by, in words. */
  name: string;
  value: string;
  before: number;
  after: number;
  because: BasisView[];
}

/** Threat has the first basis and impact the last; all between are of reach, however many there are. */
function stepsOf({ threat_ppm, reach_ppm, impact_ppm, controls_ppm, control, assets, because }: FactorView): Step[] {
  const factors: [string, string, number, BasisView[]][] = [
    ["threat", inFull(threat_ppm), threat_ppm / 1e6, because.slice(0, 1)],
    ["reach", inFull(reach_ppm), reach_ppm / 1e6, because.slice(1, -1)],
    ["impact", inFull(impact_ppm), impact_ppm / 1e6, because.length > 1 ? because.slice(-1) : []],
  ];
  if (control) factors.push(["controls", inFull(controls_ppm), controls_ppm / 1e6, [control]]);
  if (assets !== 1) factors.push(["assets", String(assets), assets, []]);
  let left = CERTAIN;
  return factors.map(([name, value, times, because]) => {
    const before = left;
    left *= times;
    return { name, value, before, after: left, because };
  });
}

/** From a certain loss of everything to what is expected: what each factor takes away, on a scale on which a tenth is always as long. */
export function Waterfall({ factor }: { factor: FactorView }) {
  const steps = stepsOf(factor);
  const reached = [CERTAIN, ...steps.map(({ after }) => after)].filter((value) => value > 0).map((value) => Math.max(value, LEAST));
  const highest = Math.log10(Math.max(...reached));
  // The least of them is seen, too.
  const lowest = Math.ceil(Math.log10(Math.min(...reached))) - 1;
  const at = (value: number): number => (value <= 0 ? 0 : Math.max(0, ((Math.log10(value) - lowest) / (highest - lowest)) * 100));
  const tenths = Array.from({ length: Math.floor(highest) - lowest + 1 }, (_, tick) => Math.floor(highest) - tick);
  const every = Math.ceil(tenths.length / MOST_TICKS);
  const lines = tenths.map((tenth) => at(10 ** tenth));
  return (
    <div className="waterfall" data-testid="waterfall">
      <div className="scale" aria-hidden="true">
        <span className="track">
          {tenths.map((tenth, index) => {
            const place = at(10 ** tenth);
            return index % every === 0 ? (
              <span key={tenth} style={{ left: `${place}%`, transform: `translateX(-${place}%)` }}>
                {number.format(10 ** tenth)}
              </span>
            ) : null;
          })}
        </span>
      </div>
      <ol>
        <li>
          <span className="what">lost for certain, whole</span>
          <Bar from={0} to={at(CERTAIN)} lines={lines} />
          <span className="left number">{CERTAIN}</span>
        </li>
        {steps.map((step) => (
          <li key={step.name} data-testid={`step-${step.name}`}>
            <span className="what">
              × {step.name} <b className="number">{step.value}</b>
            </span>
            <Bar from={Math.min(at(step.before), at(step.after))} to={Math.max(at(step.before), at(step.after))} kept lines={lines} adds={step.after > step.before} />
            <span className="left number">
              <Unseen>leaves </Unseen>
              {number.format(step.after)}
            </span>
            <div className="said sub">
              <p>{change(step)}</p>
              {step.because.map((basis, index) => (
                // Facts may repeat, and the list has no other identity than its order.
                <p key={index}>
                  {basis.fact} <span className="faint">(<Source basis={basis} />)</span>
                </p>
              ))}
            </div>
          </li>
        ))}
        <li className="total">
          <span className="what">= risk points</span>
          <Bar from={0} to={at(Number(factor.points))} lines={lines} />
          <b className="left number">{factor.points}</b>
        </li>
      </ol>
      <p className="sub">Each line of the scale is a tenth of the one to its right.</p>
    </div>
  );
}

function change({ name, before, after, value }: Step): string {
  if (name === "assets") return after > before ? `the same on ${plural(Number(value), "asset")}: adds ${number.format(after - before)}` : "on no asset any more";
  if (after === before) return "takes nothing away";
  return `takes away ${number.format(before - after)} of ${number.format(before)}`;
}

/** What there is, and beside it what this step takes away or adds: dashed where it is gone, striped where it came. */
function Bar({ from, to, kept = false, adds = false, lines }: { from: number; to: number; kept?: boolean; adds?: boolean; lines: number[] }) {
  return (
    <span className="track lined" aria-hidden="true">
      {lines.map((place) => (
        <span key={place} className="line-at" style={{ left: `${place}%` }} />
      ))}
      {kept && <span className="is" style={{ left: 0, width: `${from}%` }} />}
      <span className={kept ? (adds ? "adds" : "gone") : "is"} style={{ left: `${from}%`, width: `${to - from}%` }} />
    </span>
  );
}
