import { useState } from "react";

import { getExceptions } from "./api";
import type { ExceptionView, VulnerabilityView } from "./api.gen";
import { Ask } from "./ask";
import { count, Named, Note, plural, Section, Time } from "./bits";
import { dayFromNow, Fill, lastDay } from "./fill";
import { live } from "./live";
import { moment } from "./moment";
import { openFrom } from "./place";
import { useMay } from "./session";
import { useStore } from "./store";
import { useLoaded, useSend } from "./use";

/** Exceptions that fit; the command line has them all. */
const FIT = "50";

/** All risks that somebody accepts, the newest first; nothing where there are none. */
export function AcceptedRisks({ version }: { version: number }) {
  const then = useStore(moment);
  const listed = useLoaded(getExceptions, FIT, version);
  if (listed.is === "missing") {
    return (
      <Section id="accepted-risks" title="Accepted risks">
        <Note tone="bad">{listed.why}</Note>
      </Section>
    );
  }
  if (listed.is === "loading" || listed.value.total === 0) return null;
  const { items, total } = listed.value;
  return (
    <Section id="accepted-risks" title="Accepted risks" aside={<p className="hint">{plural(total, "exception")}: there, and off the queue until then</p>}>
      <div className="heads accepted-grid" aria-hidden="true">
        <span>What</span>
        <span>Until</span>
        <span>Answers for it</span>
        <span>Against it</span>
      </div>
      <ul className="rows">
        {items.map((one) => (
          <li key={one.id}>
            <button type="button" className="row accepted-grid" data-testid="accepted-row" data-id={one.id} onClick={() => openFrom(one.vulnerability)}>
              <span className="cell what">
                <b>{one.vulnerability}</b> <span className="sub">on {plural(one.assets, "asset")}</span>
              </span>
              <span className="cell when">
                <span className="unit">until </span>
                <Time at={one.until} />
              </span>
              <span className="cell by">
                <span className="unit">with </span>
                {one.owner}
              </span>
              <span className="cell why">{one.control}</span>
            </button>
          </li>
        ))}
      </ul>
      {total > items.length && (
        <p className="hint below">
          {count(total - items.length)} more: <code>tenon exception list{then !== null && ` --as-of ${then}`}</code>
        </p>
      )}
    </Section>
  );
}

/** Risks of a vulnerability that somebody accepts, and the way to accept one. */
export function Exceptions({ vulnerability }: { vulnerability: VulnerabilityView }) {
  const allowed = useMay("approve");
  const { exceptions, accepted, open } = vulnerability;
  if (exceptions.length === 0 && !(allowed && open > 0)) return null;
  return (
    <Section id="exceptions" title="Accepted risk" aside={exceptions.length > 0 && <p className="hint">{plural(accepted, "asset")}: at risk, and off the queue</p>}>
      {exceptions.length > 0 && (
        <ul className="findings">
          {exceptions.map((one) => (
            <Exception key={one.id} exception={one} allowed={allowed} />
          ))}
        </ul>
      )}
      {allowed && open > 0 && <Accept vulnerability={vulnerability} />}
    </Section>
  );
}

function Exception({ exception: one, allowed }: { exception: ExceptionView; allowed: boolean }) {
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const off = sender.busy || link === "offline";
  return (
    <li className="finding" data-testid="exception">
      <p>
        <b>{one.id}</b> until <Time at={one.until} />, <b>{one.owner}</b> answers for it
      </p>
      <p>
        Against it: {one.control}. Because: {one.why}.
      </p>
      <p className="sub">
        <Named assets={one.assets} hosts={one.hosts} />; granted by {one.by}, <Time at={one.granted} />
      </p>
      {asking && (
        <Ask
          id={`end-${one.id}`}
          label="Why does it end before its time? What it took off the queue is back at once."
          go="Take back"
          sender={sender}
          off={off}
          onSay={async (why) => {
            if (await sender.submit({ do: "end", exception: one.id, body: { why } })) setAsking(false);
          }}
          onCancel={() => setAsking(false)}
        />
      )}
      {allowed && !asking && (
        <div className="buttons">
          <button type="button" className="button quiet" data-testid="end-exception" disabled={off} onClick={() => setAsking(true)}>
            Take back…
          </button>
        </div>
      )}
      {sender.problem && <p className="problem" role="alert">{sender.problem}</p>}
    </li>
  );
}


function Accept({ vulnerability: { id, groups } }: { vulnerability: VulnerabilityView }) {
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const [body, setBody] = useState({ group: Object.keys(groups)[0] ?? "", until: dayFromNow(30), owner: "", control: "", why: "" });
  const off = sender.busy || link === "offline";
  const whole = body.until !== "" && body.control.trim() !== "" && body.why.trim() !== "" && body.group in groups;
  const set = (of: keyof typeof body) => (event: { target: { value: string } }) => setBody({ ...body, [of]: event.target.value });

  async function accept(): Promise<void> {
    const { owner, ...said } = body;
    const sent = { vulnerability: id, ...said, ...(owner.trim() !== "" && { owner: owner.trim() }) };
    if (await sender.submit({ do: "accept", body: sent })) setAsking(false);
  }

  if (!asking) {
    return (
      <div className="buttons">
        <button type="button" className="button quiet" data-testid="accept-risk" disabled={off} onClick={() => setAsking(true)}>
          Accept the risk…
        </button>
      </div>
    );
  }
  return (
    <Fill testid="accept-form" send="accept-send" go="Accept the risk" whole={whole} off={off} sender={sender} onSend={accept} onCancel={() => setAsking(false)}>
      <p className="sub">What closes it is not wanted there until then. The risk stays, and stays on record. Hosts that come later are not meant.</p>
      <label htmlFor="accept-group">Where</label>
      <select id="accept-group" value={body.group} onChange={set("group")} autoFocus data-testid="accept-group">
        {Object.entries(groups).map(([group, assets]) => (
          <option key={group} value={group}>
            {group}: {plural(assets, "asset")}
          </option>
        ))}
      </select>
      <label htmlFor="accept-until">Until</label>
      <input id="accept-until" type="date" value={body.until} min={dayFromNow(0)} max={lastDay()} onChange={set("until")} required data-testid="accept-until" />
      <label htmlFor="accept-control">What stands against it meanwhile</label>
      <input id="accept-control" value={body.control} onChange={set("control")} maxLength={1000} autoComplete="off" required data-testid="accept-control" />
      <label htmlFor="accept-why">Why it is not mended now</label>
      <input id="accept-why" value={body.why} onChange={set("why")} maxLength={1000} autoComplete="off" required data-testid="accept-why" />
      <label htmlFor="accept-owner">Who answers for it; you, if nobody else</label>
      <input id="accept-owner" value={body.owner} onChange={set("owner")} maxLength={128} autoComplete="off" data-testid="accept-owner" />
    </Fill>
  );
}
