import { useState } from "react";

import type { DirectiveView, RolloutView, WaveView } from "./api.gen";
import { Ask } from "./ask";
import { count, Mark, plural, Section } from "./bits";
import { live } from "./live";
import type { Tone } from "./stages";
import { may, session } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** In which waves it reaches its hosts. Of a single host there is nothing to tell that its stage does not. */
export function Rollout({ directive }: { directive: DirectiveView }) {
  const { rollout } = directive;
  if (!rollout || (rollout.waves.length < 2 && rollout.state !== "halted" && rollout.held_back.length === 0)) return null;
  return (
    <Section
      id="rollout"
      title="Rollout"
      aside={<Mark tone={TONES[rollout.state] ?? "wait"} word={WORDS[rollout.state] ?? rollout.state} testid="rollout-state" />}
    >
      <p className="hint">
        Plan {rollout.version}, {rollout.tempo}
        {rollout.waits && `: ${rollout.waits}`}
      </p>
      <ol className="waves">
        {rollout.waves.map((wave, place) => (
          // A plan is never changed: a wave is known by its place in it.
          <Wave key={`${rollout.version}.${place}`} wave={wave} place={place} />
        ))}
      </ol>
      {rollout.held_back.map((held) => (
        <p className="reason" key={held.why} data-testid="held-back">
          {plural(held.assets, "host")} held back ({held.hosts.join(", ")}): {held.why}
        </p>
      ))}
      {!directive.closed && <Steering id={directive.id} rollout={rollout} />}
    </Section>
  );
}

const TONES: Record<string, Tone> = { halted: "bad", running: "run", watched: "wait", over: "good" };
const WORDS: Record<string, string> = { halted: "halted", running: "under way", watched: "being watched", over: "done", planned: "planned" };

function Wave({ wave, place }: { wave: WaveView; place: number }) {
  return (
    <li className={`wave ${wave.state}`} data-testid="wave" data-state={wave.state} title={wave.because}>
      <span className="wave-name">
        {place + 1} {wave.phase}
      </span>
      <progress max={wave.assets} value={wave.done} aria-label={`wave ${place + 1}, ${wave.phase}: ${wave.done} of ${wave.assets} done`} />
      <span className="number">
        {count(wave.done)}/{count(wave.assets)}
      </span>
      <span className="hint wave-hosts">
        {wave.hosts.slice(0, 3).join(", ")}
        {wave.assets > 3 && ` and ${count(wave.assets - 3)} more`}
      </span>
    </li>
  );
}

/** Stopping it, and letting it go on. */
function Steering({ id, rollout }: { id: string; rollout: RolloutView }) {
  const allowed = may(useStore(session), "operate");
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  if (!allowed) return null;
  const off = sender.busy || link === "offline";
  const resumes = rollout.state === "halted" || rollout.held_back.length > 0;
  const halts = rollout.state !== "halted" && rollout.state !== "over";

  async function halt(why: string): Promise<void> {
    if (await sender.submit({ do: "halt", directive: id, body: { why } })) setAsking(false);
  }

  return (
    <>
      {asking ? (
        <Ask
          id="halt"
          label="Why is it halted? What a host has begun it ends."
          go="Halt"
          sender={sender}
          off={off}
          onSay={halt}
          onCancel={() => setAsking(false)}
        />
      ) : (
        <div className="buttons">
          {halts && (
            <button type="button" className="button quiet" data-testid="halt-open" disabled={off} onClick={() => setAsking(true)}>
              Halt…
            </button>
          )}
          {resumes && (
            <button
              type="button"
              className="button"
              data-testid="resume"
              disabled={off}
              onClick={() => void sender.submit({ do: "resume", directive: id })}
            >
              Resume with a new plan
            </button>
          )}
        </div>
      )}
      {sender.problem && <p className="problem" role="alert">{sender.problem}</p>}
    </>
  );
}
