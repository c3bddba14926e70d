import { useState } from "react";

import type { DirectiveView } from "./api.gen";
import { Ask } from "./ask";
import { plural } from "./bits";
import { useCommands } from "./commands";
import { live } from "./live";
import { moment } from "./moment";
import { NoRights, NotThen } from "./no-rights";
import { lacks } from "./preserved";
import { awaiting, undo } from "./stages";
import { useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** The decision, always in sight. */
export function Actions({ directive }: { directive: DirectiveView }) {
  const allowed = useMay("approve");
  const then = useStore(moment);
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState<"waiver" | "refusal" | null>(null);
  const ready = awaiting(directive);
  // What is sealed or waived already is asked for no more.
  const unsealed = ready.some(lacks);

  async function approve(waiver?: string): Promise<void> {
    // Exactly what is on the screen: what came since is not approved with it.
    const reports = ready.flatMap((asset) => asset.stage.report ?? []);
    const body = waiver === undefined ? { reports } : { reports, waive_evidence: waiver };
    if (await sender.submit({ do: "approve", directive: directive.id, body })) setAsking(null);
  }

  async function refuse(why: string): Promise<void> {
    if (await sender.submit({ do: "refuse", directive: directive.id, body: { why } })) setAsking(null);
  }

  const offline = link === "offline";
  const off = sender.busy || offline;
  const applying = directive.assets.some((asset) => asset.stage.name === "applying");
  const approves = ready.length > 0 && !directive.disputed;
  const ask = () => (unsealed ? setAsking("waiver") : void approve());
  const what = directive.title;
  useCommands(
    allowed && !off
      ? [
          ...(approves ? [{ name: unsealed ? "Approve…" : "Approve", on: what, run: ask }] : []),
          ...(applying ? [] : [{ name: "Refuse…", on: what, run: () => setAsking("refusal") }]),
        ]
      : [],
  );

  if (!allowed) {
    return (
      <>
        <p className="says">{state(directive)}</p>
        {then === null ? <NoRights /> : <NotThen />}
      </>
    );
  }
  return (
    <>
      <p className="says">{state(directive)}</p>
      {asking === "waiver" && (
        <Ask
          id="waiver"
          label="Why may it go ahead without preserving evidence first?"
          go="Approve without evidence"
          sender={sender}
          off={off}
          onSay={approve}
          onCancel={() => setAsking(null)}
        />
      )}
      {asking === "refusal" && (
        <Ask id="refusal" label="Why is it refused? Its findings stay open." go="Refuse" sender={sender} off={off} onSay={refuse} onCancel={() => setAsking(null)} />
      )}
      {asking === null && (
        <div className="buttons">
          {approves && (
            <button
              type="button"
              className="button primary"
              data-testid="approve"
              disabled={off}
              onClick={ask}
            >
              {sender.busy ? "Approving…" : unsealed ? "Approve…" : "Approve"}
            </button>
          )}
          {/* What is being applied cannot be refused any more, so nobody is invited to. */}
          {!applying && (
            <button type="button" className="button quiet" data-testid="refuse" disabled={off} onClick={() => setAsking("refusal")}>
              Refuse…
            </button>
          )}
        </div>
      )}
      {offline && <p className="problem">Offline: nothing can be decided until Tenon answers again.</p>}
      {sender.problem && <p className="problem" role="alert" data-testid="problem">{sender.problem}</p>}
    </>
  );
}

/** What approving would do now, with the way back; or why there is nothing to approve. */
function state(directive: DirectiveView): string {
  const ready = awaiting(directive);
  if (ready.length > 0 && directive.disputed) return "Disputed: it can be approved once somebody answers.";
  if (ready.length > 0) {
    const ways = ["proven", "possible", "not-possible"]
      .map((kind) => ({ kind, of: ready.filter((asset) => asset.undo && undo(asset.undo).kind === kind).length }))
      .filter(({ of }) => of > 0)
      .map(({ kind, of }) => `${undo(kind).word}${ready.length > 1 ? ` on ${of}` : ""}`);
    const where = ready.length === 1 ? (ready[0]?.hostname ?? "") : plural(ready.length, "asset");
    return `Passed its rehearsal on ${where}. Undo: ${ways.join(", ") || "not known"}.`;
  }
  const stages = new Set(directive.assets.map((asset) => asset.stage.name));
  if (stages.has("applying")) return "Being applied; it can be refused again after the host's report.";
  if (directive.rollout?.halt && stages.has("approved")) return "Approved, and halted: the rest waits until a person resumes it.";
  if (stages.has("approved")) return "Approved; waits for its turn.";
  if (stages.has("rehearsing")) return "Being rehearsed; it can be approved when that passes.";
  if (stages.has("applied")) return "Applied; the next inventory must confirm it.";
  const proposed = directive.assets.filter((asset) => asset.stage.name === "proposed");
  const byHand = proposed.every((asset) => asset.observe_only);
  if (proposed.length > 0 && byHand) return "Nothing to approve: Tenon can only observe here, so this is done by hand.";
  if (stages.has("proposed")) return directive.mode === "observe" ? `Nothing to approve: group ${directive.group} is only observed.` : "Waits to be rehearsed.";
  return "Nothing to approve: a person must look at it.";
}
