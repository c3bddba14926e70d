import { getRisk, getTrend } from "./api";
import type { TrendDayView } from "./api.gen";
import { count, Note, Said, Section } from "./bits";
import { useLoaded } from "./use";

const DAYS = "30";
const WIDTH = 600;
const HEIGHT = 96;

const points = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const moved = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, signDisplay: "exceptZero" });

/** What moved exposure, in the order in which it is told. */
const PARTS: { of: keyof TrendDayView; word: string; sign: 1 | -1; says: string }[] = [
  { of: "newly_seen", word: "newly seen", sign: 1, says: "by hosts that report for the first time, or report anew" },
  { of: "got_worse", word: "got worse", sign: 1, says: "by advisories, intel and context, on what is there" },
  { of: "got_better", word: "got better", sign: -1, says: "by the same" },
  { of: "done", word: "done", sign: -1, says: "hosts show it" },
  { of: "refused", word: "refused", sign: -1, says: "out of the queue by a person; its findings stay open" },
  { of: "accepted", word: "accepted", sign: -1, says: "out of the queue by risks that people accept, less what came back; its findings stay" },
  { of: "retired", word: "retired", sign: -1, says: "gone with hosts that are no more" },
];

/** Exposure over time: as it is, and like for like, which does not move when hosts enrol. */
export function Trend({ version }: { version: number }) {
  const trend = useLoaded(getTrend, DAYS, version);
  const days = trend.is === "here" ? trend.value.days : [];
  const last = days.at(-1);
  return (
    <Section
      id="trend"
      title="Exposure"
      busy={trend.is === "loading"}
      aside={last && (
        <p className="hint">
          {points.format(Number(last.exposure))} risk points, {points.format(Number(last.like_for_like))} like for like · {DAYS} days
        </p>
      )}
    >
      {trend.is === "missing" && <Note tone="bad">{trend.why}</Note>}
      {last && (
        <div className="trend">
          <Chart days={days} />
          <dl className="moves">
            {PARTS.map(({ of, word, sign, says }) => {
              const sum = sign * days.reduce((sum, day) => sum + Number(day[of]), 0);
              return (
                <div key={of} title={says} data-testid={`moved-${of}`}>
                  <dt>{word}</dt>
                  <dd className="number">{moved.format(sum)}</dd>
                </div>
              );
            })}
          </dl>
        </div>
      )}
      <MovedMost version={version} />
    </Section>
  );
}

/** Entries that are told; the command line tells twenty. */
const MOVED = 5;

/** Which entries of the record moved exposure most. */
function MovedMost({ version }: { version: number }) {
  const risk = useLoaded(getRisk, DAYS, version);
  if (risk.is === "missing") return <Note tone="bad">{risk.why}</Note>;
  const all = risk.is === "here" ? risk.value.moved.slice(0, MOVED) : [];
  if (all.length === 0) return null;
  return (
    <div className="moved-most" data-testid="moved-most">
      <h3>What moved it most</h3>
      <ol>
        {all.map(({ seq, day, points, said, by }) => (
          <li key={seq} data-testid="movement">
            <span className="number">{moved.format(Number(points))}</span>
            <span>
              <Said text={said ?? "The record does not reach back so far any more"} />
              {by && `, by ${by}`}
              <span className="sub"> · {day}, entry {count(seq)}</span>
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Chart({ days }: { days: TrendDayView[] }) {
  const of = (part: "exposure" | "like_for_like") => days.map((day) => Number(day[part]));
  const highest = Math.max(1, ...of("exposure"), ...of("like_for_like"));
  const lowest = Math.min(0, ...of("like_for_like"));
  const x = (at: number) => (days.length > 1 ? (at / (days.length - 1)) * WIDTH : WIDTH);
  const y = (value: number) => HEIGHT - 4 - ((value - lowest) / (highest - lowest)) * (HEIGHT - 8);
  const line = (values: number[]) => values.map((value, at) => `${at === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const exposure = line(of("exposure"));
  const [first, last] = [days[0], days.at(-1)];
  return (
    <figure className="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Exposure from ${first?.exposure} to ${last?.exposure} risk points; like for like to ${last?.like_for_like}`}>
        <path className="area" d={`${exposure}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />
        <path className="whole" d={exposure} />
        <path className="like" d={line(of("like_for_like"))} />
      </svg>
      <figcaption className="sub">
        <span>{first?.day}</span>
        <span>
          <span className="key whole" aria-hidden="true" /> exposure <span className="key like" aria-hidden="true" /> like for like
        </span>
        <span>{last?.day}</span>
      </figcaption>
    </figure>
  );
}
