import { Actions } from "./actions";
import type { DirectiveView } from "./api.gen";
import { getDirective } from "./api";
import { AsThen } from "./as-of";
import { Assignee } from "./assignee";
import { Attacks } from "./attacks";
import { Note, Time } from "./bits";
import { ending } from "./closed";
import { EvidenceOf } from "./evidence";
import { Hosts } from "./hosts";
import { PanelFrame } from "./panel";
import { Due, Title } from "./queue";
import { Preserved } from "./preserved";
import { Rollout } from "./rollout";
import { useLoaded } from "./use";
import { DirectiveReach } from "./directive-reach";
import { Thread } from "./thread";
import { Why } from "./why";
import { Wrong } from "./wrong";

/** One directive: what is wrong, why it matters here, what to do where, the evidence, and the decision. */
export function DirectivePanel({ id, version }: { id: string; version: number }) {
  const fetched = useLoaded(getDirective, id, version);
  if (fetched.is === "here") return <Shown directive={fetched.value} version={version} />;
  return (
    <PanelFrame id={id} title={id}>
      {fetched.is === "loading" ? <p className="empty" aria-busy="true">Reading it…</p> : <Note tone="bad"><AsThen why={fetched.why} /></Note>}
    </PanelFrame>
  );
}

function Shown({ directive, version }: { directive: DirectiveView; version: number }) {
  // What was said comes first; the invitation to say something does not.
  const talked = directive.thread.length > 0;
  const thread = <Thread key={`thread-${directive.id}`} directive={directive} />;
  return (
    <PanelFrame
      id={directive.id}
      title={<Title directive={directive} />}
      sub={
        <>
          {directive.id} · group {directive.group} · raised <Time at={directive.raised} />
        </>
      }
      foot={directive.closed ? <Ended closed={directive.closed} /> : <Actions key={directive.id} directive={directive} />}
    >
      <dl className="vitals">
        <dt>Due</dt>
        <dd><Due at={directive.due} /></dd>
        <dt>Decision</dt>
        <dd>{directive.decision.outcome}</dd>
        <dt>Removes</dt>
        <dd>
          <span className="number">{directive.removes}</span> risk points
        </dd>
      </dl>
      <Assignee key={`assignee-${directive.id}`} directive={directive} />
      <Wrong directive={directive} />
      <Attacks attacks={directive.attacks} />
      {talked && thread}
      <Why directive={directive} />
      <DirectiveReach key={directive.id} id={directive.id} version={version} />
      <Preserved key={`preserved-${directive.id}`} directive={directive} />
      <Rollout directive={directive} />
      <Hosts directive={directive} />
      {!talked && thread}
      <EvidenceOf directive={directive} />
    </PanelFrame>
  );
}

function Ended({ closed }: { closed: string }) {
  const { how, at } = ending(closed);
  return (
    <p data-testid="ended">
      Closed: {how}
      {at && (
        <>
          , <Time at={at} />
        </>
      )}
      {how.startsWith("refused") && ". Its findings stay open."}
    </p>
  );
}
