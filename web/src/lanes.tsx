import { type KeyboardEvent, useState } from "react";

import type { HeldBackView, RolloutView, WaveHostView, WaveView } from "./api.gen";
import { WaitedFor } from "./assignee";
import { count, plural, Said, type Shape, Sign, Time } from "./bits";
import { openFrom } from "./place";
import { known, type Tone } from "./stages";
import { span } from "./time";

/** The waves one under the other: a lane each, a cell for each host, and between two lanes the gate. */
export function Lanes({ rollout }: { rollout: RolloutView }) {
  const { waves, held_back: held, state } = rollout;
  const [seen, setSeen] = useState<WaveHostView | null>(null);
  const hosts = [...waves, ...held].flatMap((lane) => lane.hosts);
  // One stop of the Tab key for all cells; arrows go from one to the next.
  const first = hosts.find(({ why_not_yet: why }) => why) ?? hosts[0];
  const stop = hosts.some(({ id }) => id === seen?.id) ? seen?.id : first?.id;
  const shown = hosts.find(({ id }) => id === seen?.id) ?? null;
  const cells = { stop, onSee: setSeen };
  return (
    <div className="lanes" onKeyDown={walk} onMouseLeave={() => setSeen(null)}>
      <ol>
        {waves.map((wave, place) => (
          // A plan is never changed: a wave is known by its place in it.
          <li key={`${rollout.version}.${place}`} className="lane" data-testid="wave" data-state={wave.state}>
            <Head name={`Wave ${place + 1}`} sub={wave.phase} {...told(wave, state)} of={`${count(wave.done)}/${count(wave.assets)}`} />
            <div className="lane-body">
              <Cells label={`Wave ${place + 1}, ${wave.phase}, ${told(wave, state).word}: ${wave.done} of ${plural(wave.assets, "host")} done`} lane={wave} {...cells} />
              <p className="sub">{wave.because}</p>
            </div>
            <Gate wave={wave} rollout={rollout} last={place === waves.length - 1} />
          </li>
        ))}
        {held.map((lane) => (
          <li key={lane.why} className="lane" data-testid="held-back">
            <Head name="Held back" sub="in no wave" tone="ask" word="waits" of={count(lane.assets)} />
            <div className="lane-body">
              <Cells label={`Held back: ${plural(lane.assets, "host")}`} lane={lane} {...cells} />
              <p className="sub">{lane.why}</p>
            </div>
          </li>
        ))}
      </ol>
      <Legend hosts={hosts} />
      {/* Its height stays, so that nothing moves under the pointer. A screen reader has it in the cell's own name. */}
      <p className="seen" data-testid="seen" aria-hidden="true">
        {shown ? (
          <>
            <b>{shown.hostname}</b> {known(shown.stage).word}
            {shown.why_not_yet && <>: <Said text={shown.why_not_yet} /></>}
            <WaitedFor owner={shown.owner} />
          </>
        ) : (
          <span className="faint">Point at a cell to see its host; click to open it.</span>
        )}
      </p>
    </div>
  );
}

/** A lane in a word. */
function told(wave: WaveView, rollout: string): { tone: Tone; word: string } {
  if (rollout === "halted" && wave.state === "running") return { tone: "bad", word: "halted" };
  if (wave.state === "ended") return { tone: "good", word: "ended" };
  if (wave.state === "watched") return { tone: "run", word: "watched" };
  if (wave.state === "running") return { tone: "run", word: "under way" };
  return { tone: "wait", word: "waits" };
}

function Head({ name, sub, tone, word, of }: { name: string; sub: string; tone: Tone; word: string; of: string }) {
  return (
    <div className="lane-head" aria-hidden="true">
      <span>
        <b>{name}</b> <span className="sub">{sub}</span>
      </span>
      <span className="stage" data-tone={tone}>
        <Sign tone={tone} />
        <span>{word}</span>
      </span>
      <span className="number lane-count">{of}</span>
    </div>
  );
}

/** How a host looks in its lane: what only waits for its wave is not under way. */
const LOOKS: Record<string, { tone: Tone; shape: Shape }> = {
  approved: { tone: "wait", shape: "wait" },
  applied: { tone: "run", shape: "seen" },
  left: { tone: "wait", shape: "gone" },
};

function look(stage: string): { tone: Tone; shape: Shape } {
  const { tone } = known(stage);
  return LOOKS[stage] ?? { tone, shape: tone };
}

interface Cell {
  stop: string | undefined;
  onSee: (host: WaveHostView) => void;
}

function Cells({ label, lane, stop, onSee }: Cell & { label: string; lane: WaveView | HeldBackView }) {
  const more = lane.assets - lane.hosts.length;
  return (
    <ul className="cells" aria-label={label}>
      {lane.hosts.map((host) => {
        const { tone, shape } = look(host.stage);
        return (
          <li key={host.id}>
            <button
              type="button"
              className="host-cell"
              data-testid="cell"
              data-asset={host.id}
              data-stage={host.stage}
              data-tone={tone}
              tabIndex={host.id === stop ? 0 : -1}
              aria-label={`${host.hostname}, ${known(host.stage).word}${host.why_not_yet ? `: ${host.why_not_yet}` : ""}`}
              onMouseEnter={() => onSee(host)}
              onFocus={() => onSee(host)}
              onClick={() => openFrom(host.id)}
            >
              <Sign tone={tone} shape={shape} />
            </button>
          </li>
        );
      })}
      {more > 0 && <li className="sub">and {count(more)} more</li>}
    </ul>
  );
}

/** What each shape of the cells means, with how many there are. */
function Legend({ hosts }: { hosts: WaveHostView[] }) {
  const counts = new Map<string, number>();
  for (const { stage } of hosts) counts.set(stage, (counts.get(stage) ?? 0) + 1);
  const stages = [...counts].sort(([a], [b]) => known(a).rank - known(b).rank);
  return (
    <ul className="legend" aria-label="Hosts by state">
      {stages.map(([stage, of]) => {
        const { tone, shape } = look(stage);
        return (
          <li key={stage} className="stage" data-tone={tone}>
            <Sign tone={tone} shape={shape} />
            <span>
              <span className="number">{count(of)}</span> {known(stage).word}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** What must hold before the next wave begins, and how it is now. */
function Gate({ wave, rollout, last }: { wave: WaveView; rollout: RolloutView; last: boolean }) {
  const { assets, done, failed, may_fail: may, soak_seconds: soak, state } = wave;
  const heard = done + failed;
  const closed = failed > may;
  const watching = soak > 0 && !last;
  const watch = span(soak * 1_000);
  const tone: Tone = closed ? "bad" : state === "ended" ? "good" : state === "waiting" ? "wait" : "run";
  return (
    <p className="gate sub" data-testid="gate" data-gate={closed ? "closed" : state === "ended" ? "passed" : "waits"}>
      <Sign tone={tone} />
      <span>
        <b>{closed ? "Gate closed" : state === "ended" ? "Gate passed" : last ? "Ends when" : "Gate"}</b>:{" "}
        <span className="number">{count(heard)}</span> of {plural(assets, "host")} heard from · <span className="number">{count(failed)}</span> failed, at most{" "}
        <span className="number">{count(may)}</span> may
        {watching && state === "watched" && rollout.until && (
          <>
            {" "}
            · watched until <Time at={rollout.until} />
          </>
        )}
        {watching && state === "ended" && ` · watched for ${watch}`}
        {watching && !closed && (state === "waiting" || state === "running") && ` · then ${watch} of watching`}
      </span>
    </p>
  );
}

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

/** Arrows walk the cells: sideways from host to host, up and down from lane to lane. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const from = event.target as HTMLElement;
  if (!from.matches(".host-cell")) return;
  const cells = [...event.currentTarget.querySelectorAll<HTMLElement>(".host-cell")];
  const step = STEPS[event.key];
  let to: HTMLElement | undefined;
  if (step !== undefined) to = cells[cells.indexOf(from) + step];
  else if (event.key === "Home") to = cells[0];
  else if (event.key === "End") to = cells.at(-1);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const lanes = [...event.currentTarget.querySelectorAll(".cells")].map((lane) => [...lane.querySelectorAll<HTMLElement>(".host-cell")]);
    const here = lanes.findIndex((lane) => lane.includes(from));
    const lane = lanes[here + (event.key === "ArrowDown" ? 1 : -1)];
    to = lane?.[Math.min(lanes[here]?.indexOf(from) ?? 0, lane.length - 1)];
  } else return;
  event.preventDefault();
  to?.focus();
}
