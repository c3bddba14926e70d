import { useState } from "react";

import type { AssigneeView, DirectiveView, NoteView } from "./api.gen";
import { Ask } from "./ask";
import { plural, Section, Time } from "./bits";
import { useCommands } from "./commands";
import { live } from "./live";
import { useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

type Kind = "comment" | "dispute" | "answer";

const ASKED: { [kind in Kind]: { label: string; go: string } } = {
  comment: { label: "What should the others know?", go: "Say it" },
  dispute: { label: "Why is it disputed: not affected, not possible, not now? Nothing of it is approved until somebody answers.", go: "Dispute" },
  answer: { label: "Why is it to be done after all? It can be approved again then.", go: "Answer" },
};
const DID: { [kind: string]: string } = { dispute: "disputes it", answer: "answers" };

/** What both teams say of a directive, and the way to say more. */
export function Thread({ directive }: { directive: DirectiveView }) {
  const allowed = useMay("discuss");
  const { thread, assignee, disputed, closed } = directive;
  const speaks = allowed && !closed;
  const given = assignee ? Date.parse(assignee.since) : Number.POSITIVE_INFINITY;
  const before = thread.filter(({ at }) => Date.parse(at) <= given).length;
  if (thread.length === 0 && !assignee && !speaks) return null;
  return (
    <Section id="thread" title="Conversation" aside={thread.length > 0 && <p className="hint">{plural(thread.length, "note")}</p>}>
      {disputed && (
        <p className="callout disputed" data-testid="disputed" role="status">
          <b>Disputed.</b> Nothing of it is approved, by a person or a rule, until somebody answers.
        </p>
      )}
      {(thread.length > 0 || assignee) && (
        <ol className="thread">
          {thread.slice(0, before).map((note, at) => (
            <Said key={at} note={note} />
          ))}
          {assignee && <Given to={assignee} />}
          {thread.slice(before).map((note, at) => (
            <Said key={before + at} note={note} />
          ))}
        </ol>
      )}
      {speaks && <Speak id={directive.id} disputed={disputed} />}
    </Section>
  );
}

/** When it was given to whoever does it, among what was said. */
function Given({ to: { person, by, since } }: { to: AssigneeView }) {
  return (
    <li data-testid="given" data-kind="given">
      <p className="sub">
        {by == null ? <><b>{person}</b> goes on with it, </> : by === person ? <><b>{person}</b> takes it, </> : <><b>{by}</b> gives it to <b>{person}</b>, </>}
        <Time at={since} />
      </p>
    </li>
  );
}

function Said({ note }: { note: NoteView }) {
  const did = DID[note.kind];
  return (
    <li data-testid="note" data-kind={note.kind}>
      <p className="sub">
        <b>{note.by}</b> {did && <span className="did">{did}, </span>}
        <Time at={note.at} />
      </p>
      <p className="text">{note.text}</p>
    </li>
  );
}

function Speak({ id, disputed }: { id: string; disputed: boolean }) {
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState<Kind | null>(null);
  const off = sender.busy || link === "offline";
  const kinds: Kind[] = ["comment", disputed ? "answer" : "dispute"];
  const words: { [kind in Kind]: string } = { comment: "Comment…", dispute: "Dispute…", answer: "Answer…" };
  useCommands(off ? [] : kinds.map((kind) => ({ name: words[kind], on: "its conversation", run: () => setAsking(kind) })));
  return (
    <>
      {asking !== null ? (
        <Ask
          key={asking}
          id={`note-${asking}`}
          label={ASKED[asking].label}
          go={ASKED[asking].go}
          sender={sender}
          off={off}
          onSay={async (text) => {
            if (await sender.submit({ do: "notes", directive: id, body: { kind: asking, text } })) {
              setAsking(null);
              // What had the focus is gone: reading goes on where the note is seen.
              document.getElementById("thread-title")?.focus({ preventScroll: true });
            }
          }}
          onCancel={() => setAsking(null)}
        />
      ) : (
        <div className="buttons">
          {kinds.map((kind) => (
            <button key={kind} type="button" className="button quiet" data-testid={`open-${kind}`} disabled={off} onClick={() => setAsking(kind)}>
              {words[kind]}
            </button>
          ))}
        </div>
      )}
      {sender.problem && <p className="problem" role="alert">{sender.problem}</p>}
    </>
  );
}
