import { useState } from "react";

import type { AssigneeView, DirectiveView, RolloutView } from "./api.gen";
import { Ask } from "./ask";
import { WaitedFor } from "./assignee";
import { count, Mark, Note, plural, Said, Section, Sign, Time } from "./bits";
import { useCommands } from "./commands";
import { Lanes } from "./lanes";
import { live } from "./live";
import type { Tone } from "./stages";
import { useMay } from "./session";
import { useStore } from "./store";
import { due, span, useNow } from "./time";
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
      <Progress directive={directive} rollout={rollout} />
      <Standing rollout={rollout} />
      {!directive.closed && <Steering id={directive.id} rollout={rollout} />}
      <Lanes rollout={rollout} />
      <WhyNotYet rollout={rollout} />
    </Section>
  );
}

const TONES: Record<string, Tone> = { halted: "bad", running: "run", watched: "run", over: "good" };
const WORDS: Record<string, string> = { halted: "halted", running: "under way", watched: "being watched", over: "done", planned: "planned" };

/** How far it is on all hosts, against the date by which it is due. */
function Progress({ directive, rollout }: { directive: DirectiveView; rollout: RolloutView }) {
  const now = useNow();
  const { asset_count: all, stages } = directive;
  const done = (stages.verified ?? 0) + (stages["fixed-otherwise"] ?? 0);
  const time = directive.due ? Date.parse(directive.due) : Number.NaN;
  const ahead = rollout.watching_ahead_seconds * 1_000;
  const late = !directive.closed && time > now && now + ahead > time;
  return (
    <>
      <div className="rollout-progress">
        <progress max={all} value={done} aria-label={`${done} of ${all} hosts show the fix`} />
        <p>
          <b className="number" data-testid="rollout-done">
            {count(done)} of {count(all)}
          </b>{" "}
          {all === 1 ? "host shows" : "hosts show"} the fix
        </p>
      </div>
      <p className="sub">
        Plan {rollout.version}, {rollout.tempo}
        {!directive.closed && !Number.isNaN(time) && ` · due ${due(time, now).text.replace(/^overdue/, "date passed, overdue")}`}
        {!directive.closed && ahead > 0 && ` · watching alone takes ${span(ahead)} more`}
      </p>
      {late && (
        <Note tone="ask" testid="too-slow">
          It cannot be done in time: watching its waves takes longer than is left. A plan made under another tempo is shorter (tenon tempo fast).
        </Note>
      )}
    </>
  );
}

/** What all of it waits for now. */
function Standing({ rollout }: { rollout: RolloutView }) {
  const now = useNow();
  const { halt, state, until, waits } = rollout;
  if (halt) {
    return (
      <div className="callout halted" data-testid="halted" role="status">
        <p className="note" data-tone="bad">
          <Sign tone="bad" />
          <span>
            <b>Halted {halt.by ? `by ${halt.by}` : "by itself"}</b>, <Time at={halt.at} as="ago" />
          </span>
        </p>
        <p>
          <Said text={halt.why} />
          <WaitedFor owner={halt.owner} />
        </p>
      </div>
    );
  }
  if (!waits) return null;
  const watched = rollout.waves.findIndex((wave) => wave.state === "watched");
  const left = until ? Date.parse(until) - now : Number.NaN;
  if (state === "watched" && watched >= 0 && until) {
    return (
      <p data-testid="waits">
        Wave {watched + 1} is watched {left > 0 ? `for ${span(left)} more` : "to its end"}, until <Time at={until} />. Then wave {watched + 2} begins.
      </p>
    );
  }
  return (
    <p data-testid="waits">
      Waits for <Said text={waits} />
      {left > 0 && <span className="faint">; without word from them it halts in {span(left)}</span>}
    </p>
  );
}

/** Reasons that fit; what stands still for another one is in the list of hosts. */
const FIT_REASONS = 6;
/** Hosts that a reason names. */
const NAMED = 2;

/** Every host that does not show the fix, under what it waits for. */
function WhyNotYet({ rollout }: { rollout: RolloutView }) {
  const reasons = new Map<string, string[]>();
  // A directive has one, whatever is waited for.
  const owners = new Map<string, AssigneeView>();
  for (const { hosts } of [...rollout.waves, ...rollout.held_back]) {
    for (const { hostname, why_not_yet: why, owner } of hosts) {
      if (why) reasons.set(why, [...(reasons.get(why) ?? []), hostname]);
      if (why && owner) owners.set(why, owner);
    }
  }
  if (reasons.size === 0) return null;
  const all = [...reasons];
  return (
    <div className="why-not" data-testid="why-not-yet">
      <h3>Why not yet</h3>
      <dl>
        {all.slice(0, FIT_REASONS).map(([why, hosts]) => (
          <div key={why}>
            <dt>
              {hosts.length > 1 && <b className="number">{plural(hosts.length, "host")}</b>}
              {hosts.slice(0, NAMED).map((host) => (
                <span key={host}>{host}</span>
              ))}
              {hosts.length > NAMED && <span className="sub">and {count(hosts.length - NAMED)} more</span>}
            </dt>
            <dd>
              <Said text={why} />
              <WaitedFor owner={owners.get(why)} />
            </dd>
          </div>
        ))}
      </dl>
      {all.length > FIT_REASONS && <p className="hint">and {plural(all.length - FIT_REASONS, "more reason")}, with the hosts below</p>}
    </div>
  );
}

/** Stopping it, and letting it go on. */
function Steering({ id, rollout }: { id: string; rollout: RolloutView }) {
  const allowed = useMay("operate");
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const off = sender.busy || link === "offline";
  const resumes = rollout.state === "halted" || rollout.held_back.length > 0;
  const halts = rollout.state !== "halted" && rollout.state !== "over";
  const goesOn = rollout.state === "halted" ? "Resume with a new plan" : "Plan anew";
  useCommands(
    allowed && !off
      ? [...(halts ? [{ name: "Halt…", on: "its rollout", run: () => setAsking(true) }] : []), ...(resumes ? [{ name: goesOn, on: "its rollout", run: () => void resume() }] : [])]
      : [],
  );
  if (!allowed) return null;

  async function halt(why: string): Promise<void> {
    if (await sender.submit({ do: "halt", directive: id, body: { why } })) ended();
  }

  async function resume(): Promise<void> {
    if (await sender.submit({ do: "resume", directive: id })) ended();
  }

  /** What had the focus is gone: reading goes on where the change is seen. */
  function ended(): void {
    setAsking(false);
    document.getElementById("rollout-title")?.focus({ preventScroll: true });
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
        <div className="buttons steering">
          {halts && (
            <button type="button" className="button quiet" data-testid="halt-open" disabled={off} onClick={() => setAsking(true)}>
              Halt…
            </button>
          )}
          {resumes && (
            <button type="button" className="button" data-testid="resume" disabled={off} onClick={() => void resume()}>
              {goesOn}
            </button>
          )}
          {resumes && (
            <span className="hint">
              {rollout.state === "halted" ? "The rest is planned anew, for the estate as it is now." : "Plans also what is held back, for the estate as it is now."}
            </span>
          )}
        </div>
      )}
      {sender.problem && <p className="problem" role="alert" data-testid="rollout-problem">{sender.problem}</p>}
    </>
  );
}
