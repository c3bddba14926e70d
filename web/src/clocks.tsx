import type { ClockView } from "./api.gen";
import { Time } from "./bits";
import { due as distance, useNow } from "./time";

/** Every rule that sets a date on one line of time: from when its clock runs, to when it is due, and where today is between. */
export function Clocks({ clocks, due }: { clocks: ClockView[]; due: string | null }) {
  const now = useNow();
  if (clocks.length === 0 && !due) return <p className="sub">No rule that counts sets a date.</p>;
  // Once set, a date is not moved later: it may be earlier than what the rules say now.
  const earlier = due !== null && clocks.every((clock) => clock.due !== due);
  const times = [...clocks.flatMap(({ since, due }) => [since, due]), ...(due ? [due] : [])].map((time) => Date.parse(time)).filter((time) => !Number.isNaN(time));
  const [first, last] = [Math.min(now, ...times), Math.max(now, ...times)];
  const at = (time: string | number): string => {
    const ms = typeof time === "number" ? time : Date.parse(time);
    return `${last > first ? (((ms - first) / (last - first)) * 100).toFixed(2) : 0}%`;
  };
  const counts = (of: string): boolean => (due === null ? of === clocks[0]?.due : of === due);
  const today = <span className="today" style={{ left: at(now) }} />;
  return (
    <div className="clock-lines">
      <ul className="clocks" data-testid="clocks">
        {earlier && (
          <li data-counts="true">
            <p>
              <b>counts:</b> due <Time at={due} />, {far(due, now)}: set earlier, and not moved later
            </p>
            <div className="time-track" aria-hidden="true">
              {today}
              <span className="due-mark" style={{ left: at(due) }} />
            </div>
          </li>
        )}
        {clocks.map((clock) => (
          <li key={clock.rule} data-counts={counts(clock.due) || undefined} data-testid="clock">
            <p>
              {counts(clock.due) && <b>counts: </b>}
              due <Time at={clock.due} />, {far(clock.due, now)}, by {clock.rule} row <span className="number">{clock.row}</span> ({clock.outcome})
              <span className="sub">
                {" "}
                since <Time at={clock.since} />, for {clock.vulnerability}
              </span>
            </p>
            <div className="time-track" aria-hidden="true">
              <span className="runs" style={{ left: at(clock.since), width: `calc(${at(clock.due)} - ${at(clock.since)})` }} />
              {today}
              <span className="due-mark" style={{ left: at(clock.due) }} />
            </div>
          </li>
        ))}
      </ul>
      <div className="time-scale sub" aria-hidden="true">
        <span className="today-word" style={{ left: at(now), transform: `translateX(-${at(now)})` }}>
          ▲ today
        </span>
        <span><Time at={new Date(first).toISOString()} /></span>
        <span><Time at={new Date(last).toISOString()} /></span>
      </div>
    </div>
  );
}

function far(time: string, now: number): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? "" : distance(ms, now).text;
}
