import { type ReactNode, useEffect, useRef } from "react";

import { getDirectives, getExceptions, getGaps, getMeasures, getTrend } from "./api";
import type { DirectivesPage, FiguresView, GapsPage, Overview, TrendDayView } from "./api.gen";
import { count, Note, plural, Sign, Time } from "./bits";
import { GAPS } from "./coverage";
import type { Moment } from "./moment";
import { close } from "./place";
import { lasts, percent, WAITS } from "./scoreboard";
import { known, stageCounts, type Tone } from "./stages";
import { timeNow } from "./time";
import { Chart, PARTS } from "./trend";
import { type Loaded, useLoaded } from "./use";

const DAYS = "30";
/** What fits on one sheet of paper. */
const MOST = 5;
/** A change of so little, in percent, is none. */
const AS_BEFORE = 1;

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const signed = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, signDisplay: "exceptZero" });

const getLargest = (query: string, then: Moment): Promise<DirectivesPage> => getDirectives(query, 0, MOST, then);

/** One sheet for whoever does not work with Tenon: better or worse, why, what is needed, and what nobody can see. */
export function Board({ overview, version }: { overview: Overview; version: number }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  const trend = useLoaded(getTrend, DAYS, version);
  const measures = useLoaded(getMeasures, `days=${DAYS}`, version);
  const largest = useLoaded(getLargest, "sort=removes", version);
  const gaps = useLoaded(getGaps, String(MOST), version);
  const exceptions = useLoaded(getExceptions, "1", version);
  return (
    <main className="board" data-testid="board">
      <header className="board-head">
        <div>
          <h2 ref={heading} tabIndex={-1}>
            Security updates: better or worse
          </h2>
          <p className="sub">
            {DAYS} days up to {overview.time ? <Time at={overview.time} /> : "now"}, {plural(overview.assets, "asset")}, entry {count(overview.seq)} of the record
          </p>
        </div>
        <div className="buttons no-print">
          <button type="button" className="button primary" data-testid="print" onClick={() => window.print()}>
            Print
          </button>
          <button type="button" className="button quiet" data-testid="leave-board" onClick={close}>
            Back to the queue
          </button>
        </div>
      </header>
      <Part title="Better or worse" testid="board-verdict" of={trend}>
        {({ days }) => <Verdict days={days} />}
      </Part>
      <Part title="Why" testid="board-why" of={trend}>
        {({ days }) => <Moves days={days} />}
      </Part>
      <Part title="How the work goes" testid="board-work" of={measures}>
        {({ whole }) => <Work figures={whole} />}
      </Part>
      <Part title="What is needed" testid="board-needed" of={largest}>
        {(page) => <Needed page={page} measures={measures} />}
      </Part>
      <Part title="What we cannot see" testid="board-unseen" of={gaps}>
        {(page) => <Unseen page={page} overview={overview} accepted={exceptions.is === "here" ? exceptions.value.total : null} />}
      </Part>
    </main>
  );
}

function Part<T>({ title, testid, of, children }: { title: string; testid: string; of: Loaded<T>; children: (value: T) => ReactNode }) {
  return (
    <section className="board-part" aria-busy={of.is === "loading" || undefined} data-testid={testid}>
      <h3>{title}</h3>
      {of.is === "missing" && <Note tone="bad">{of.why}</Note>}
      {of.is === "here" && children(of.value)}
    </section>
  );
}

/** Whether exposure fell on what was there all along; hosts that enrolled are told apart. */
function Verdict({ days }: { days: TrendDayView[] }) {
  // Before the first host reported nothing was known, which is not the same as nothing there.
  const known = days.findIndex(({ exposure }) => Number(exposure) > 0);
  const [first, last] = [days[Math.max(0, known)], days.at(-1)];
  if (!first || !last || first === last) return <p>Too early to say: the record has no two days yet.</p>;
  const [from, to] = [Number(first.like_for_like), Number(last.like_for_like)];
  const change = from > 0 ? ((to - from) / from) * 100 : to > 0 ? 100 : 0;
  const [word, tone]: [string, Tone] = Math.abs(change) < AS_BEFORE ? ["As before", "wait"] : change < 0 ? ["Better", "good"] : ["Worse", "bad"];
  return (
    <div className="verdict">
      <div>
        <p className="verdict-word" data-tone={tone}>
          <Sign tone={tone} /> <b>{word}</b>
        </p>
        <p>
          Like for like, exposure went from <b className="number">{number.format(from)}</b> to <b className="number">{number.format(to)}</b> risk points
          {known > 0 && <> since {first.day}, the first day of which anything is known</>}
          {from > 0 && word !== "As before" && <> ({signed.format(change)} %)</>}. With hosts that are new it is <b className="number">{number.format(Number(last.exposure))}</b>.
        </p>
        <p className="sub">100 risk points are a certain loss of everything on one asset within 30 days.</p>
      </div>
      <Chart days={days} />
    </div>
  );
}

/** What moved it, the largest first. */
function Moves({ days }: { days: TrendDayView[] }) {
  const moved = PARTS.map(({ of, word, sign, says }) => ({ word, says, sum: sign * days.reduce((sum, day) => sum + Number(day[of]), 0) }))
    .filter(({ sum }) => sum !== 0)
    .sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  if (moved.length === 0) return <p>Nothing moved it.</p>;
  return (
    <table className="table">
      <caption className="unseen">What moved exposure</caption>
      <tbody>
        {moved.map(({ word, says, sum }) => (
          <tr key={word}>
            <td className="right number">
              <b>{signed.format(sum)}</b>
            </td>
            <th scope="row">{word}</th>
            <td>{says}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Work({ figures: { remediation, sla, overdue, change_success, foretold, waited_for } }: { figures: FiguresView }) {
  const facts: [string, string, string][] = [
    ["done by the due date", percent(sla), sla.of > 0 ? `${count(sla.part)} of ${count(sla.of)} that came due` : "nothing came due"],
    ["cases overdue now", count(overdue.part), `of ${count(overdue.of)} open`],
    ["time to fix", lasts(remediation.median_seconds), remediation.count > 0 ? "half of the cases took no longer" : "nothing verified"],
    ["changes that held", percent(change_success), change_success.of > 0 ? `of ${count(change_success.of)}` : "no changes"],
    ["failures foretold", count(foretold.part), `of ${plural(foretold.of, "rehearsal")}, before they reached a host`],
  ];
  const longest = waited_for.toSorted((a, b) => b.seconds - a.seconds)[0];
  return (
    <>
      <dl className="board-figures">
        {facts.map(([name, value, of]) => (
          <div key={name}>
            <dt className="sub">{name}</dt>
            <dd>
              <b className="number">{value}</b> <span className="sub">{of}</span>
            </dd>
          </div>
        ))}
      </dl>
      {longest && longest.seconds > 0 && (
        <p>
          Most of the time went to waiting for <b>{WAITS[longest.waits_for] ?? longest.waits_for}</b>: {percent({ percent: longest.percent, part: longest.seconds })}.
        </p>
      )}
    </>
  );
}

/** What removes most, and what it waits for. */
function Needed({ page: { items, total, totals }, measures }: { page: DirectivesPage; measures: Loaded<{ whole: FiguresView }> }) {
  if (total === 0) return <p>Nothing to do that Tenon knows of.</p>;
  const all = Number(totals?.removes ?? 0);
  const these = items.reduce((sum, one) => sum + Number(one.removes), 0);
  const late = totals?.due.overdue ?? (measures.is === "here" ? measures.value.whole.overdue_directives : 0);
  return (
    <>
      <p>
        {plural(total, "directive")} to do{late > 0 && <>, <b>{count(late)} overdue</b></>}.{" "}
        {items.length < total && all > 0 && (
          <>
            These {items.length} remove <b className="number">{number.format(these)}</b> of {number.format(all)} risk points:
          </>
        )}
      </p>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">What to do</th>
            <th scope="col">Group</th>
            <th scope="col">Due</th>
            <th scope="col" className="right">Removes</th>
            <th scope="col">Waits</th>
          </tr>
        </thead>
        <tbody>
          {items.map((one) => {
            const [first] = stageCounts(one);
            return (
              <tr key={one.id}>
                <th scope="row">{one.title}</th>
                <td>{one.group}</td>
                <td className={one.due && Date.parse(one.due) < timeNow() ? "late" : undefined}>{one.due ? <Time at={one.due} /> : "no date"}</td>
                <td className="right number">{one.removes}</td>
                <td>{first ? `${known(first.stage).word}${first.assets > 1 ? ` on ${count(first.assets)}` : ""}` : ""}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

function Unseen({ page: { items, total, assets, not_whole }, overview, accepted }: { page: GapsPage; overview: Overview; accepted: number | null }) {
  const broken = overview.feeds.filter(({ problem }) => problem);
  return (
    <>
      <p>
        {not_whole > 0 ? (
          <>
            <b>{count(not_whole)}</b> of {plural(assets, "asset")} {not_whole === 1 ? "is" : "are"} not wholly known: what is not seen there is in no figure above.
          </>
        ) : (
          "Every asset is wholly known."
        )}{" "}
        {broken.length > 0 && <>Of {plural(overview.feeds.length, "feed")} {count(broken.length)} did not come: {broken.map(({ name }) => name).join(", ")}. </>}
        {accepted !== null && accepted > 0 && <>{plural(accepted, "accepted risk")} {accepted === 1 ? "is" : "are"} in no figure above, either.</>}
      </p>
      {items.length > 0 && (
        <table className="table">
          <caption className="unseen">What is not seen</caption>
          <tbody>
            {items.map((gap) => (
              <tr key={`${gap.kind} ${gap.said}`}>
                <th scope="row">{GAPS[gap.kind] ?? gap.kind}</th>
                <td>{gap.said}</td>
                <td className="right">{plural(gap.assets, "host")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {total > items.length && <p className="sub">and {plural(total - items.length, "more gap")}</p>}
    </>
  );
}
