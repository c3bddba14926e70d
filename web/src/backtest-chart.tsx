import type { ReplayedPolicyView } from "./api.gen";
import { plural } from "./bits";
import { useMedia } from "./store";

/** Letters and lines tell policies apart, also without colour. */
export const letter = (at: number): string => String.fromCharCode(65 + at);
const DASHES = ["", "6 3", "2 3", "10 3", "8 3 2 3", "1 4", "12 4 4 4", "4 2"];

/** The lowest share on the axis of efforts, in percent: a hundredth. */
const LEAST = 0.01;
/** Room for the numbers of an axis, for its name, and between letters that would cover each other. */
const LEFT = 44;
const FOOT = 40;
const APART = 15;

interface Box {
  width: number;
  height: number;
}

/** Text keeps its size: a narrow chart is not a wide one made small. */
const WIDE = 520;
const useBox = (): Box => (useMedia("(max-width: 40rem)") ? { width: 330, height: 260 } : { width: WIDE, height: 300 });

const coverage = ({ total }: ReplayedPolicyView): number => Number(total.coverage_percent ?? 0);

/** The end of the axis of coverage: whole tens. */
const topOf = (values: number[]): number => Math.max(10, Math.ceil(Math.max(0, ...values) / 10) * 10);

/** Places of letters beside the points of these heights, so that none covers another. */
function apart(points: { x: number; y: number }[]): number[] {
  const placed: { x: number; y: number }[] = [];
  const order = points.map((point, at) => ({ ...point, at })).sort((a, b) => b.y - a.y);
  const places = points.map(({ y }) => y);
  for (const { x, y, at } of order) {
    let free = y;
    for (const other of placed) if (Math.abs(other.x - x) < APART && Math.abs(other.y - free) < APART) free = other.y - APART;
    placed.push({ x, y: free });
    places[at] = free;
  }
  return places;
}

function Heights({ top, y, width }: { top: number; y: (value: number) => number; width: number }) {
  const ticks = [0, top / 2, top];
  return ticks.map((tick) => (
    <g key={tick}>
      <line className="axis" x1={LEFT} x2={width - 12} y1={y(tick)} y2={y(tick)} />
      <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end">
        {tick} %
      </text>
    </g>
  ));
}

/** Coverage against effort: high and to the left is good. */
export function Efforts({ policies }: { policies: ReplayedPolicyView[] }) {
  const { width, height } = useBox();
  const top = topOf(policies.map(coverage));
  const x = (effort: number) => LEFT + 12 + ((Math.log10(Math.max(LEAST, effort)) + 2) / 4) * (width - LEFT - 40);
  const y = (value: number) => height - FOOT - (value / top) * (height - FOOT - 20);
  const points = policies.map((one) => ({ x: x(Number(one.total.effort_percent ?? 0)), y: y(coverage(one)) }));
  const places = apart(points);
  const said = policies.map((one, at) => `${letter(at)} ${one.policy}: coverage ${one.total.coverage_percent ?? "none"} % at an effort of ${one.total.effort_percent ?? "none"} %`);
  return (
    <figure className="chart backtest-chart" data-testid="backtest-efforts">
      <figcaption>
        <b>Coverage against effort.</b> <span className="sub">High is more of what was exploited, left is less work; the scale of effort is logarithmic.</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Coverage against effort. ${said.join("; ")}`}>
        <Heights top={top} y={y} width={width} />
        {[0.01, 0.1, 1, 10, 100].map((tick) => (
          <g key={tick}>
            <line className="axis" x1={x(tick)} x2={x(tick)} y1={y(top)} y2={y(0)} />
            <text x={x(tick)} y={height - FOOT + 16} textAnchor="middle">
              {tick === LEAST ? `≤${tick}` : tick} %
            </text>
          </g>
        ))}
        <text x={width - 12} y={height - 6} textAnchor="end">
          effort: flagged of all
        </text>
        {policies.map((one, at) => (
          <g key={one.policy} className="policy-mark" data-of={at}>
            <circle cx={points[at]?.x} cy={points[at]?.y} r={4} />
            <text x={(points[at]?.x ?? 0) + 7} y={(places[at] ?? 0) + 4}>
              {letter(at)}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** Coverage over time. */
export function HalfYears({ policies }: { policies: ReplayedPolicyView[] }) {
  const { width, height } = useBox();
  const halves = policies[0]?.by_half_year ?? [];
  const names = halves.map(({ name }) => name);
  const of = (one: ReplayedPolicyView) => one.by_half_year.map(({ counts }) => (counts.coverage_percent == null ? null : Number(counts.coverage_percent)));
  const top = topOf(policies.flatMap((one) => of(one).filter((value) => value !== null)));
  const x = (at: number) => LEFT + 12 + (names.length > 1 ? (at / (names.length - 1)) * (width - LEFT - 64) : 0);
  const y = (value: number) => height - FOOT - (value / top) * (height - FOOT - 20);
  const lines = policies.map((one) => of(one).flatMap((value, at) => (value === null ? [] : [{ x: x(at), y: y(value) }])));
  const ends = lines.map((points) => points.at(-1) ?? { x: 0, y: 0 });
  const places = apart(ends);
  const said = policies.map((one, at) => `${letter(at)} ${one.policy}: ${of(one).map((value, half) => `${names[half]} ${value === null ? "none" : `${value.toFixed(1)} %`}`).join(", ")}`);
  return (
    <figure className="chart backtest-chart" data-testid="backtest-halves">
      <figcaption>
        <b>Coverage by half-year.</b> <span className="sub">Whether a policy holds, or was lucky once.</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Coverage by half-year. ${said.join("; ")}`}>
        <Heights top={top} y={y} width={width} />
        {halves.map(({ name, days }, at) => (
          <text key={name} x={x(at)} y={height - FOOT + 16} textAnchor="middle">
            {width < WIDE ? name.slice(2) : name}
            {/* A half of few days says little. */}
            <tspan x={x(at)} dy={14}>
              {plural(days, "day")}
            </tspan>
          </text>
        ))}
        {policies.map((one, at) => (
          <g key={one.policy} className="policy-mark" data-of={at}>
            <polyline points={lines[at]?.map((point) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`).join(" ")} strokeDasharray={DASHES[at % DASHES.length]} />
            {lines[at]?.map((point) => (
              <circle key={point.x} cx={point.x} cy={point.y} r={2.5} />
            ))}
            {(lines[at]?.length ?? 0) > 0 && (
              <text x={(ends[at]?.x ?? 0) + 8} y={(places[at] ?? 0) + 4}>
                {letter(at)}
              </text>
            )}
          </g>
        ))}
      </svg>
    </figure>
  );
}
