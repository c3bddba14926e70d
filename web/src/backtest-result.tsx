import type { BacktestCountsView, BacktestPartView, BacktestResultView, ReplayedPolicyView } from "./api.gen";
import { Efforts, HalfYears, letter } from "./backtest-chart";
import { count, Note, plural } from "./bits";

const rounded = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

/** A percentage as it is read: never nothing for what is there. */
export function percent(said: string | null | undefined, digits: number): string {
  if (said == null) return "–";
  const value = Number(said);
  const least = 10 ** -digits;
  return value > 0 && value < least ? `<${least} %` : `${value.toFixed(digits)} %`;
}

/** What came of a replay: in words, as a chart, as a table. */
export function BacktestResult({ result }: { result: BacktestResultView }) {
  const { policies, days, first, last, left_out, horizon_days } = result;
  const total = policies[0]?.total;
  if (!total) return null;
  const a_day = (of: number) => rounded.format(of / Math.max(1, days));
  return (
    <div className="backtest-result" data-testid="backtest-result">
      <p>
        On {plural(days, "day")} of scores from {first} to {last} there were {a_day(total.eligible)} CVEs to choose from on average. In the {horizon_days} days after a day CISA listed{" "}
        {(total.listed / Math.max(1, days)).toFixed(0)} as exploited; {share(total.unscored_positives, total.listed)} of those had no score on the day, most because they were not public yet, so that no policy
        here could have them.
      </p>
      <ol className="backtest-words" data-testid="backtest-words">
        {policies.map((one, at) => (
          <li key={one.policy}>
            <Key at={at} /> <span>{inWords(one, days)}</span>
          </li>
        ))}
      </ol>
      <Table policies={policies} days={days} />
      <div className="backtest-charts">
        <Efforts policies={policies} />
        <HalfYears policies={policies} />
      </div>
      <Parts policies={policies} />
      {policies.map(({ policy, said }) => said && said.undecided > 0 && (
        <Note key={policy} tone="wait">
          {policy}: {share(said.undecided, total.eligible)} of CVEs and days are undecided, because history does not have {said.missing.join(", ")}.
        </Note>
      ))}
      <p className="sub">
        A CVE that stays flagged counts on every day, a listing on each day of the {horizon_days} before it. What is exploited and never listed counts as a miss of nobody.
        {left_out > 0 && ` Left out: ${plural(left_out, "day")} whose next ${horizon_days} days of listings are not complete.`}
        {result.unread_lines > 0 && ` ${plural(result.unread_lines, "line")} of the history could not be read.`} History {result.digest.slice(0, 12)}
        {result.model && `, forecast ${result.model}`}. <code>tenon backtest run</code> writes the same as a report.
      </p>
    </div>
  );
}

/** A share as a reader says it. */
function share(part: number, of: number): string {
  return of === 0 ? "none" : `${rounded.format((part / of) * 100)} of 100`;
}

function inWords({ policy, total }: ReplayedPolicyView, days: number): string {
  if (total.flagged === 0) return `${policy} would have asked for nothing, and had none of what was listed.`;
  const asked = `${policy} would have asked for ${rounded.format(total.flagged / Math.max(1, days))} on an average day (${percent(total.effort_percent, 2)} of all)`;
  if (total.positives === 0) return `${asked}; nothing was listed that it could have had.`;
  const had = `and had ${share(total.true_positives, total.positives)} that were listed and could be flagged`;
  return total.true_positives === 0 ? `${asked} ${had}.` : `${asked} ${had}; of what it asked for, one in ${rounded.format(total.flagged / total.true_positives)} was listed.`;
}

/** The letter of a policy, as the charts have it. */
function Key({ at }: { at: number }) {
  return (
    <b className="backtest-key" data-of={at}>
      {letter(at)}
    </b>
  );
}

const HEADS = ["Flagged a day", "Effort", "Coverage", "Of all listed", "Efficiency", "Hits"];

function cells(counts: BacktestCountsView, days: number | null): string[] {
  return [
    days === null ? count(counts.flagged) : rounded.format(counts.flagged / Math.max(1, days)),
    percent(counts.effort_percent, 2),
    percent(counts.coverage_percent, 1),
    percent(counts.coverage_of_all_percent, 1),
    percent(counts.efficiency_percent, 3),
    count(counts.true_positives),
  ];
}

function Table({ policies, days }: { policies: ReplayedPolicyView[]; days: number }) {
  return (
    <div className="score-table">
      {/* Said again as roles: on a phone the rows are laid out as cards, which takes these from a table. */}
      <table className="cards" role="table" aria-label="Policies over all days" data-testid="backtest-table">
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">Policy</th>
            {HEADS.map((head) => (
              <th key={head} scope="col" role="columnheader">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {policies.map((one, at) => (
            <tr key={one.policy} role="row" title={one.flags}>
              <th scope="row" role="rowheader">
                <Key at={at} /> {one.policy}
              </th>
              {cells(one.total, days).map((value, place) => (
                <td key={HEADS[place]} role="cell" data-head={HEADS[place]}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The same by half of a year and by model of EPSS, for whoever wants the numbers behind the lines. */
function Parts({ policies }: { policies: ReplayedPolicyView[] }) {
  const kinds: [string, (of: ReplayedPolicyView) => BacktestPartView[]][] = [
    ["Half-year", ({ by_half_year }) => by_half_year],
    ["EPSS model", ({ by_epss_model }) => by_epss_model],
  ];
  return (
    <details className="backtest-parts" data-testid="backtest-parts">
      <summary>By half-year and by EPSS model: scores of different models do not compare</summary>
      {kinds.map(([kind, of]) => (
        <div key={kind} className="score-table">
          <table className="cards" role="table" aria-label={`Policies by ${kind}`}>
            <thead role="rowgroup">
              <tr role="row">
                <th scope="col" role="columnheader">{kind}, policy</th>
                {["Flagged", ...HEADS.slice(1)].map((head) => (
                  <th key={head} scope="col" role="columnheader">{head}</th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {(policies[0] ? of(policies[0]) : []).flatMap(({ name }, part) =>
                policies.map((one, at) => {
                  const counts = of(one)[part]?.counts;
                  return (
                    counts && (
                      <tr key={`${name} ${one.policy}`} role="row">
                        <th scope="row" role="rowheader">
                          {name} <Key at={at} /> {one.policy}
                        </th>
                        {cells(counts, null).map((value, place) => (
                          <td key={HEADS[place]} role="cell" data-head={place === 0 ? "Flagged" : HEADS[place]}>{value}</td>
                        ))}
                      </tr>
                    )
                  );
                }),
              )}
            </tbody>
          </table>
        </div>
      ))}
    </details>
  );
}
