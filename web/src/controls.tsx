import { useState } from "react";

import { getControls } from "./api";
import type { ControlView, VulnerabilityView } from "./api.gen";
import { Ask } from "./ask";
import { count, Named, Note, plural, Section, Time } from "./bits";
import { dayFromNow, Fill, lastDay } from "./fill";
import { inFull } from "./likely";
import { live } from "./live";
import { moment } from "./moment";
import { useMay } from "./session";
import { useStore } from "./store";
import { useLoaded, useSend } from "./use";

/** Controls that fit; the command line has them all. */
const FIT = "50";
/** Most vulnerabilities of a control that are named. */
const MOST_NAMED = 3;
/** How many ways of attack there are: what stands against all of them names none. */
const ALL_WAYS = 4;

const KINDS: Record<string, string> = {
  "waf-rule": "WAF rule",
  "ips-rule": "IPS rule",
  segmentation: "Segmentation",
  "feature-off": "Feature off",
  hardening: "Hardening",
};

function against({ vulnerabilities, vectors }: ControlView): string {
  if (vulnerabilities.length === 0) return `${vectors.join(", ")} attacks`;
  const more = vulnerabilities.length - MOST_NAMED;
  const named = vulnerabilities.slice(0, MOST_NAMED).join(", ") + (more > 0 ? ` and ${count(more)} more` : "");
  return vectors.length < ALL_WAYS ? `${named} (${vectors.join(", ")})` : named;
}

/** All controls that stand, the newest first; nothing where there are none. */
export function StandingControls({ version }: { version: number }) {
  const then = useStore(moment);
  const listed = useLoaded(getControls, FIT, version);
  if (listed.is === "missing") {
    return (
      <Section id="controls" title="Controls">
        <Note tone="bad">{listed.why}</Note>
      </Section>
    );
  }
  if (listed.is === "loading" || listed.value.total === 0) return null;
  const { items, total } = listed.value;
  return (
    <Section id="controls" title="Controls" aside={<p className="hint">{plural(total, "control")}: what each covers is less likely until then, and stays to be done</p>}>
      <ul className="findings">
        {items.map((one) => (
          <Control key={one.id} control={one} />
        ))}
      </ul>
      {total > items.length && (
        <p className="hint below">
          {count(total - items.length)} more: <code>tenon control list{then !== null && ` --as-of ${then}`}</code>
        </p>
      )}
    </Section>
  );
}

/** The controls that stand before one asset. */
export function ControlsBefore({ controls }: { controls: ControlView[] }) {
  if (controls.length === 0) return null;
  return (
    <Section id="controls-before" title="Controls before it" aside={<p className="hint">less likely, and still to be done</p>}>
      <ul className="findings">
        {controls.map((one) => (
          <Control key={one.id} control={one} />
        ))}
      </ul>
    </Section>
  );
}

/** The controls that stand against a vulnerability, and the way to record one. */
export function ControlsAgainst({ vulnerability }: { vulnerability: VulnerabilityView }) {
  const allowed = useMay("approve");
  const { controls, open } = vulnerability;
  if (controls.length === 0 && !(allowed && open > 0)) return null;
  return (
    <Section id="controls-against" title="What stands against it" aside={controls.length > 0 && <p className="hint">less likely there, and still to be done</p>}>
      {controls.length > 0 && (
        <ul className="findings">
          {controls.map((one) => (
            <Control key={one.id} control={one} />
          ))}
        </ul>
      )}
      {allowed && open > 0 && <Record vulnerability={vulnerability} />}
    </Section>
  );
}

function Control({ control: one }: { control: ControlView }) {
  const allowed = useMay("approve");
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const off = sender.busy || link === "offline";
  return (
    <li className="finding" data-testid="control">
      <p>
        <b>{KINDS[one.kind] ?? one.kind}</b> against {against(one)}: lets <b className="number">{inFull(one.leaves_ppm)}</b> through
      </p>
      <p>{one.what}</p>
      <p className="sub">
        {one.id} until <Time at={one.until} />, {one.owner} answers for it; before <Named assets={one.assets} hosts={one.hosts} />; recorded by {one.by}, <Time at={one.recorded} />
      </p>
      {asking && (
        <Ask
          id={`end-${one.id}`}
          label="Why does it not stand any more? What it stood against counts in full again at once."
          go="End it"
          sender={sender}
          off={off}
          onSay={async (why) => {
            if (await sender.submit({ do: "end-control", control: one.id, body: { why } })) setAsking(false);
          }}
          onCancel={() => setAsking(false)}
        />
      )}
      {allowed && one.ended === null && !asking && (
        <div className="buttons">
          <button type="button" className="button quiet" data-testid="end-control" disabled={off} onClick={() => setAsking(true)}>
            End it…
          </button>
        </div>
      )}
      {sender.problem && <p className="problem" role="alert">{sender.problem}</p>}
    </li>
  );
}

/** Parts per million to one percent. */
const PERCENT = 10_000;

function Record({ vulnerability: { id, groups } }: { vulnerability: VulnerabilityView }) {
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const [body, setBody] = useState({ kind: "waf-rule", group: Object.keys(groups)[0] ?? "", leaves: "20", until: dayFromNow(30), what: "", owner: "" });
  const off = sender.busy || link === "offline";
  const leaves = Number(body.leaves);
  const whole = body.until !== "" && body.what.trim() !== "" && body.group in groups && leaves >= 1 && leaves <= 99;
  const set = (of: keyof typeof body) => (event: { target: { value: string } }) => setBody({ ...body, [of]: event.target.value });

  async function record(): Promise<void> {
    const { owner, leaves: _, ...said } = body;
    const sent = { ...said, vulnerabilities: [id], leaves_ppm: Math.round(leaves * PERCENT), ...(owner.trim() !== "" && { owner: owner.trim() }) };
    if (await sender.submit({ do: "control", body: sent })) setAsking(false);
  }

  if (!asking) {
    return (
      <div className="buttons">
        <button type="button" className="button quiet" data-testid="record-control" disabled={off} onClick={() => setAsking(true)}>
          Record a control…
        </button>
      </div>
    );
  }
  return (
    <Fill testid="control-form" send="control-send" go="Record it" whole={whole} off={off} sender={sender} onSend={record} onCancel={() => setAsking(false)}>
      <p className="sub">It lowers the expected loss there, as you estimate it. No date moves, and what closes it stays to be done. Hosts that come later are not meant.</p>
      <label htmlFor="control-kind">What it is</label>
      <select id="control-kind" value={body.kind} onChange={set("kind")} autoFocus data-testid="control-kind">
        {Object.entries(KINDS).map(([kind, name]) => (
          <option key={kind} value={kind}>
            {name}
          </option>
        ))}
      </select>
      <label htmlFor="control-group">Where</label>
      <select id="control-group" value={body.group} onChange={set("group")} data-testid="control-group">
        {Object.entries(groups).map(([group, assets]) => (
          <option key={group} value={group}>
            {group}: open on {plural(assets, "asset")}
          </option>
        ))}
      </select>
      <label htmlFor="control-leaves">How many percent of attacks get through it, 1 to 99</label>
      <input id="control-leaves" type="number" min={1} max={99} step="any" value={body.leaves} onChange={set("leaves")} required data-testid="control-leaves" />
      <label htmlFor="control-until">Until</label>
      <input id="control-until" type="date" value={body.until} min={dayFromNow(0)} max={lastDay()} onChange={set("until")} required data-testid="control-until" />
      <label htmlFor="control-what">What exactly, and how it was tried</label>
      <input id="control-what" value={body.what} onChange={set("what")} maxLength={1000} autoComplete="off" required data-testid="control-what" />
      <label htmlFor="control-owner">Who answers for it; you, if nobody else</label>
      <input id="control-owner" value={body.owner} onChange={set("owner")} maxLength={128} autoComplete="off" data-testid="control-owner" />
    </Fill>
  );
}
