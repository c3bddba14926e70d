import { useState } from "react";

import { getMeasures } from "./api";
import type { FiguresView, GroupFiguresView, MeasuresView, ShareView, StepView } from "./api.gen";
import { count, Note, plural, Section, Time } from "./bits";
import { boardAddress } from "./board";
import { showClosed, showInQueue } from "./choice";
import { Choose, queryOf } from "./find";
import { useSaid } from "./said";
import { lasting } from "./time";
import { useLoaded } from "./use";

const SPANS: [string, string][] = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "365 days"],
];

const WIDTH = 1_000;
const HEIGHT = 20;
/** Narrowest part of the bar that is seen. */
const LEAST = 4;

/** What a figure says: its value, and of what it is one. */
interface Said {
  value: string;
  of: string;
  /** Where its rows are. */
  rows?: "queue" | "closed";
}

/** A share in percent; what is there is never told as nothing. */
function percent({ percent, part }: { percent?: string | null | undefined; part: number }): string {
  if (percent == null) return "–";
  return percent === "0.0" && part > 0 ? "<0.1 %" : `${percent} %`;
}

const share = (of: ShareView, what: string): Said => ({ value: percent(of), of: of.of > 0 ? `${count(of.part)} of ${count(of.of)} ${what}` : `no ${what}` });
const lasts = (seconds: number | null | undefined): string => (seconds == null ? "–" : lasting(seconds));

/** The figures, in the order in which they are read; each under the name of its definition. */
const FIGURES: [name: string, says: (of: FiguresView) => Said][] = [
  ["half_life", ({ half_life: of }) => ({
    value: lasts(of.seconds),
    of: of.seconds == null && of.cases > 0 ? `not reached: ${of.open_percent} % open` : `of ${plural(of.cases, "case")}`,
    rows: "queue",
  })],
  ["remediation", ({ remediation: of }) => ({ value: lasts(of.median_seconds), of: of.count > 0 ? `p90 ${lasts(of.p90_seconds)}, ${plural(of.count, "case")}` : "nothing verified", rows: "closed" })],
  ["sla", ({ sla }) => ({ ...share(sla, "due"), rows: "closed" })],
  ["overdue", ({ overdue }) => ({ value: count(overdue.part), of: `${percent(overdue)} of ${count(overdue.of)} open`, rows: "queue" })],
  ["change_success", ({ change_success }) => ({ ...share(change_success, "changes"), rows: "closed" })],
  ["foretold", ({ foretold }) => ({ value: count(foretold.part), of: `of ${plural(foretold.of, "rehearsal")}`, rows: "queue" })],
  ["exposure", ({ exposure }) => ({ value: count(Math.round(Number(exposure.asset_hours))), of: "hours of open cases", rows: "queue" })],
];

/** Where the time goes from disclosure to verified fix, and how things end: one board for whoever finds and whoever mends. */
export function Scoreboard({ version }: { version: number }) {
  const [days, setDays] = useSaid("score.days", "30");
  const [group, setGroup] = useSaid("score.group");
  const all = useLoaded(getMeasures, queryOf({ days }), version);
  const measures = all.is === "here" ? all.value : null;
  const figures = measures && (measures.groups.find((one) => one.group === group) ?? measures.whole);
  return (
    <Section
      id="scoreboard"
      title="Scoreboard"
      busy={all.is === "loading"}
      aside={figures && (
        <p className="hint">
          {plural(figures.cases.verified, "case")} verified, {count(figures.cases.fixed_otherwise)} fixed otherwise, {count(figures.cases.refused)} refused
        </p>
      )}
    >
      <div className="tools">
        <Choose label="Days" testid="score-days" value={days} of={SPANS} onChoose={setDays} />
        {measures && (measures.groups.length > 1 || group !== "") && (
          <Choose label="Group of the scoreboard" testid="score-group" value={group} of={[["", "all groups"], ...measures.groups.map((one): [string, string] => [one.group, `group ${one.group}`])]} onChoose={setGroup} />
        )}
        <a className="link" href={boardAddress()} data-testid="to-board">
          One page to print
        </a>
      </div>
      {all.is === "missing" && <Note tone="bad">{all.why}</Note>}
      {measures && figures && <Board measures={measures} figures={figures} group={group} setGroup={setGroup} />}
    </Section>
  );
}

/** The figures of a group, or of all of them. */
function Board({ measures, figures, group, setGroup }: { measures: MeasuresView; figures: FiguresView; group: string; setGroup: (group: string) => void }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const { groups, counted_since } = measures;
  return (
    <>
      {counted_since && (
        <Note tone="wait">
          Counted since <Time at={counted_since} />: the record begins there.
        </Note>
      )}
      <div className="figures">
        {FIGURES.map(([name, says]) => {
          const { value, of } = says(figures);
          const { title } = defined(measures, name);
          return (
            <button key={name} type="button" className="figure" data-testid={`figure-${name}`} aria-expanded={chosen === name} aria-controls="figure-says" onClick={() => setChosen(chosen === name ? null : name)}>
              <span className="sub">{title}</span>
              <b className="number">{value}</b>
              <span className="sub">{of}</span>
            </button>
          );
        })}
      </div>
      <div id="figure-says" aria-live="polite">
        {chosen && <Explained measures={measures} name={chosen} figures={figures} group={group} />}
      </div>
      <Steps measures={measures} figures={figures} chosen={chosen} choose={setChosen} />
      {groups.length > 1 && <Groups groups={groups} chosen={group} choose={setGroup} />}
    </>
  );
}

function defined(measures: MeasuresView, name: string) {
  return measures.definitions.find((one) => one.name === name) ?? { name, title: name, unit: "", says: "" };
}

/** What a figure is, and the way to its rows. */
function Explained({ measures, name, figures, group }: { measures: MeasuresView; name: string; figures: FiguresView; group: string }) {
  const { title, says, unit } = defined(measures, name);
  const rows = FIGURES.find(([of]) => of === name)?.[1](figures).rows;
  return (
    <div className="explained" data-testid="explained">
      <p>
        <b>{title}</b> {unit !== "seconds" && <span className="sub">in {unit}</span>}
      </p>
      <p>{says}</p>
      {name === "change_success" && <p className="sub">{heldNot(figures)}</p>}
      {rows === "queue" && (
        <button type="button" className="link" data-testid="to-rows" onClick={() => showInQueue(group)}>
          Show them in the queue{group && `, group ${group}`}
        </button>
      )}
      {rows === "closed" && (
        <button type="button" className="link" data-testid="to-rows" onClick={showClosed}>
          Show the directives that ended
        </button>
      )}
    </div>
  );
}

function heldNot({ changes }: FiguresView): string {
  const parts: [number, string][] = [
    [changes.rolled_back, "taken back"],
    [changes.failed, "failed"],
    [changes.refused, "refused by the host"],
    [changes.silent, "not answered"],
    [changes.unconfirmed, "not confirmed"],
  ];
  const said = parts.filter(([times]) => times > 0).map(([times, what]) => `${count(times)} ${what}`);
  return said.length > 0 ? `The others: ${said.join(", ")}.` : "There are no others.";
}

const WAITS: Record<string, string> = { person: "people", machine: "machines", window: "waves and windows" };

/** The time of verified cases as one bar, and its steps. */
function Steps({ measures, figures, chosen, choose }: { measures: MeasuresView; figures: FiguresView; chosen: string | null; choose: (name: string | null) => void }) {
  const { steps, waited_for } = figures;
  const all = steps.reduce((sum, { seconds }) => sum + seconds, 0);
  if (all === 0) return <p className="empty">No case was verified in these days: there is no time to part.</p>;
  const waits = waited_for.map(({ waits_for, percent: of, seconds }) => ({ waits_for, said: `${WAITS[waits_for] ?? waits_for} ${percent({ percent: of, part: seconds })}` }));
  return (
    <div className="steps">
      <p className="steps-head">
        <button type="button" className="link" data-testid="figure-steps" aria-expanded={chosen === "steps"} aria-controls="figure-says" onClick={() => choose(chosen === "steps" ? null : "steps")}>
          {capital(defined(measures, "steps").title)}
        </button>
        <span className="sub waits" data-testid="waited-for">
          <span>waited for</span>
          {waits.map(({ waits_for, said }) => (
            <span key={waits_for}>
              <span className="step-key" data-waits={waits_for} aria-hidden="true" /> {said}
            </span>
          ))}
        </span>
      </p>
      <Bar steps={steps} all={all} label={`Waited for ${waits.map(({ said }) => said).join(", ")}`} />
      <ol className="step-list">
        {steps
          .filter(({ seconds }) => seconds > 0)
          .map((step) => (
            <li key={step.step} data-testid={`step-${step.step}`} title={step.says}>
              <span className="step-key" data-waits={step.waits_for} data-step={step.step} aria-hidden="true" />
              <span>{step.step}</span>
              <b className="number">{percent({ percent: step.percent, part: step.seconds })}</b>
              <span className="sub">
                median {lasts(step.median_seconds)}, p90 {lasts(step.p90_seconds)}
              </span>
            </li>
          ))}
      </ol>
    </div>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function Bar({ steps, all, label }: { steps: StepView[]; all: number; label: string }) {
  const widths = steps.map(({ seconds }) => (seconds > 0 ? Math.max(LEAST, (seconds / all) * WIDTH) : 0));
  const scale = WIDTH / widths.reduce((sum, width) => sum + width, 0);
  let x = 0;
  return (
    <svg className="stack" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {steps.map(({ step, waits_for }, at) => {
        const [from, width] = [x, (widths[at] ?? 0) * scale];
        x += width;
        return width > 0 && <rect key={step} x={from} width={Math.max(1, width - 1)} height={HEIGHT} data-waits={waits_for} data-step={step} />;
      })}
    </svg>
  );
}

/** What is told of each group, and when it is marked. */
const GROUP_FIGURES: [head: string, of: (one: GroupFiguresView) => string, late?: (one: GroupFiguresView) => boolean][] = [
  ["Verified", (one) => count(one.cases.verified)],
  ["Time to fix", (one) => lasts(one.remediation.median_seconds)],
  ["Half-life", (one) => lasts(one.half_life.seconds)],
  ["By due date", (one) => percent(one.sla)],
  ["Overdue", (one) => count(one.overdue.part), (one) => one.overdue.part > 0],
  ["Changes held", (one) => percent(one.change_success)],
  ["Asset-hours", (one) => count(Math.round(Number(one.exposure.asset_hours)))],
];

/** Each group by the same figures. */
function Groups({ groups, chosen, choose }: { groups: GroupFiguresView[]; chosen: string; choose: (group: string) => void }) {
  return (
    <div className="score-table">
      {/* Said again as roles: on a phone the rows are laid out as cards, which takes these from a table. */}
      <table className="cards" role="table" aria-label="Groups by the same figures" data-testid="score-groups">
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">Group</th>
            {GROUP_FIGURES.map(([head]) => (
              <th key={head} scope="col" role="columnheader">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {groups.map((one) => (
            <tr key={one.group} role="row" data-chosen={one.group === chosen || undefined}>
              <th scope="row" role="rowheader">
                <button type="button" className="link" aria-pressed={one.group === chosen} onClick={() => choose(one.group === chosen ? "" : one.group)}>
                  {one.group}
                </button>
              </th>
              {GROUP_FIGURES.map(([head, of, late]) => (
                <td key={head} role="cell" data-head={head} className={late?.(one) ? "late" : undefined}>{of(one)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
