import { useEffect, useState } from "react";

import { getMessages } from "./api";
import type { AddresseeView } from "./api.gen";
import { Note, plural, Section, Sign, Time, Unseen } from "./bits";
import { moment } from "./moment";
import { useStore } from "./store";
import { useLoaded } from "./use";

/** How a delivery goes is not in the record, so that nothing tells when it changes. */
const AGAIN_MS = 15_000;

const FORMS: Record<AddresseeView["form"], string> = { cloudevents: "CloudEvents", slack: "Slack", teams: "Teams", mail: "Mail" };

/** Who is told what needs a person, and whether it arrives. */
export function Messages() {
  const past = useStore(moment) !== null;
  // Of a time that is over nobody knows it.
  return past ? null : <Told />;
}

function Told() {
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const again = setInterval(() => setTimes((before) => before + 1), AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  const told = useLoaded(getMessages, "", times);
  const items = told.is === "here" ? told.value.items : [];
  return (
    <Section id="messages" title="Messages" busy={told.is === "loading"} aside={<p className="hint">who is told what needs a person</p>}>
      {told.is === "missing" && <Note tone="bad">{told.why}</Note>}
      {told.is === "here" && items.length === 0 && (
        <p className="empty">
          Nobody is told. Tenon can write to Slack, Teams, a mailbox or a webhook when something waits for a person: <code>tenon messages --help</code>
        </p>
      )}
      {items.length > 0 && (
        <>
          <div className="heads feed-grid" aria-hidden="true">
            <span>Name</span>
            <span>Form</span>
            <span>Last taken</span>
            <span>Waiting</span>
            <span>Problem</span>
          </div>
          <ul className="rows">
            {items.map((to) => (
              <Addressee key={to.name} to={to} />
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function Addressee({ to }: { to: AddresseeView }) {
  const whose = to.groups ? `; work of ${to.groups.join(", ")}` : "";
  return (
    <li className="row still feed-grid" data-testid="addressee-row" data-name={to.name}>
      <span className="cell what">
        {to.name}
        <span className="sub">
          {to.about.join(", ")}
          {whose}
        </span>
      </span>
      <span className="cell" title={to.host}>
        {FORMS[to.form]}
        {to.signed && ", signed"}
      </span>
      <span className="cell when">
        <Unseen>Last taken </Unseen>
        {to.last ? <Time at={to.last} as="ago" /> : <span className="faint">none so far</span>}
      </span>
      <span className="cell when">
        <Unseen>Waiting </Unseen>
        {to.waiting > 0 ? plural(to.waiting, "message") : <span className="faint">none</span>}
      </span>
      <span className="cell feed-problem" data-tone={to.problem ? "bad" : "good"}>
        <Sign tone={to.problem ? "bad" : to.last ? "good" : "wait"} />
        <span>
          <Unseen>Problem </Unseen>
          {to.problem ?? (to.last ? "none" : "none so far")}
        </span>
      </span>
    </li>
  );
}
