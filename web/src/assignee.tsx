import { useEffect, useRef, useState } from "react";

import type { AssigneeView, DirectiveView } from "./api.gen";
import { Ask } from "./ask";
import { Time } from "./bits";
import { useCommands } from "./commands";
import { takesText } from "./keys";
import { live } from "./live";
import { session, useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** The key that takes a directive which nobody does, and gives it back where it is one's own. No stray key takes it from somebody. */
const KEY = "t";

/** Who does a directive, and the ways to take it, to give it to somebody, and to give it back. */
export function Assignee({ directive }: { directive: DirectiveView }) {
  const { assignee, closed } = directive;
  return (
    <div className="assignee" data-testid="assignee">
      <p>
        <span className="sub">{closed ? "Was done by" : "Done by"}</span>{" "}
        {assignee ? (
          <>
            <b>{assignee.person}</b>{" "}
            <span className="sub">
              since <Time at={assignee.since} />
              {how(assignee)}
            </span>
          </>
        ) : (
          "nobody"
        )}
      </p>
      {!closed && <Giving directive={directive} />}
    </div>
  );
}

/** How it came to be theirs, where they did not take it. */
function how({ person, by }: AssigneeView): string {
  if (by == null) return ", as of the older version’s directive";
  return by === person ? "" : `, given by ${by}`;
}

function Giving({ directive: { id, title, assignee } }: { directive: DirectiveView }) {
  const takes = useMay("discuss");
  const gives = useMay("approve");
  const now = useStore(session);
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const off = sender.busy || link === "offline";
  const mine = now.is === "in" && assignee?.person === now.who.name;
  const assign = (to: string | null) => sender.submit({ do: "assign", directive: id, body: { to } });
  const take = () => void assign("me");
  const giveBack = () => void assign(null);
  const asks = () => setAsking(true);
  const free = assignee == null;
  useKey((free || mine) && takes && !off && !asking, mine ? giveBack : take);
  useCommands(
    takes && !off
      ? [
          ...(mine ? [] : [{ name: "Take it", on: title, run: take }]),
          ...(gives ? [{ name: "Give it to…", on: title, run: asks }] : []),
          ...(mine || (gives && assignee) ? [{ name: "Give it back", on: title, run: giveBack }] : []),
        ]
      : [],
  );
  if (!takes) return null;
  return (
    <>
      {asking ? (
        <Ask
          id="assign-to"
          label="Who does it? The name with which somebody signs in here, or another, which then stays in the record."
          go="Give it"
          sender={sender}
          off={off}
          onSay={async (name) => {
            if (await assign(name)) setAsking(false);
          }}
          onCancel={() => setAsking(false)}
        />
      ) : (
        <p className="giving">
          {!mine && (
            <button type="button" className="link" data-testid="take" {...(free && { "aria-keyshortcuts": KEY })} disabled={off} onClick={take}>
              Take it {free && <kbd aria-hidden="true">{KEY}</kbd>}
            </button>
          )}
          {(mine || (gives && assignee)) && (
            <button type="button" className="link" data-testid="give-back" {...(mine && { "aria-keyshortcuts": KEY })} disabled={off} onClick={giveBack}>
              Give it back {mine && <kbd aria-hidden="true">{KEY}</kbd>}
            </button>
          )}
          {gives && (
            <button type="button" className="link" data-testid="give" disabled={off} onClick={asks}>
              Give it to…
            </button>
          )}
        </p>
      )}
      {sender.problem && <p className="problem" role="alert" data-testid="assign-problem">{sender.problem}</p>}
    </>
  );
}

/** Does something on one key, for as long as it can be done; not while somebody types, or before what lies over the page. */
function useKey(can: boolean, run: () => void): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (!can) return;
    function pressed(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.key !== KEY) return;
      if (takesText(event.target) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      latest.current();
    }
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [can]);
}

/** Who is waited for, behind what is waited for. */
export function WaitedFor({ owner }: { owner: AssigneeView | null | undefined }) {
  if (!owner) return null;
  return (
    <span className="sub waited-for" data-testid="owner">
      {" "}
      with <b>{owner.person}</b> since <Time at={owner.since} />
    </span>
  );
}
