import type { DirectiveAssetView, DirectiveView, SignaturesView } from "./api.gen";
import { WaitedFor } from "./assignee";
import { plural, Said, Section, Sign, StageMark } from "./bits";
import { useCommands } from "./commands";
import { live } from "./live";
import { Packages } from "./packages";
import { known, type Tone, undo } from "./stages";
import { useMay } from "./session";
import { useStore } from "./store";
import { duration } from "./time";
import { useSend } from "./use";

/** What to do on which host, and how far it is there. */
export function Hosts({ directive }: { directive: DirectiveView }) {
  // What stands still or waits for a person comes first; names decide between equals.
  const order = (a: DirectiveAssetView, b: DirectiveAssetView) =>
    known(a.stage.name).rank - known(b.stage.name).rank || a.hostname.localeCompare(b.hostname);
  return (
    <Section id="hosts" title="What to do on which host">
      <ul className={directive.assets.length > FIT ? "hosts many" : "hosts"}>
        {directive.assets.toSorted(order).map((asset) => (
          <Host key={asset.id} directive={directive} asset={asset} />
        ))}
      </ul>
      {directive.asset_count > directive.assets.length && (
        <p className="hint" data-testid="more-hosts">
          and {plural(directive.asset_count - directive.assets.length, "more asset")} on which nothing has begun or nothing is left to do
        </p>
      )}
    </Section>
  );
}

/** Hosts that are shown with all that is known of them; of more, those that stand still, and the others folded. */
const FIT = 6;

function Host({ directive, asset }: { directive: DirectiveView; asset: DirectiveAssetView }) {
  const head = (
    <>
      <h3>{asset.hostname}</h3>
      <StageMark stage={asset.stage.name} />
    </>
  );
  if (directive.assets.length > FIT && !asset.stage.retry) {
    return (
      <li data-testid="host" data-asset={asset.id}>
        <details className="host folded">
          <summary className="host-head">{head}</summary>
          <Told directive={directive} asset={asset} />
        </details>
      </li>
    );
  }
  return (
    <li className="host" data-testid="host" data-asset={asset.id}>
      <div className="host-head">{head}</div>
      <Told directive={directive} asset={asset} />
    </li>
  );
}

function Told({ directive, asset }: { directive: DirectiveView; asset: DirectiveAssetView }) {
  const { stage, signatures } = asset;
  const reason = stage.reason ?? waits(directive, asset);
  return (
    <>
      {(reason || stage.owner) && (
        <p className="reason">
          <Said text={reason ?? "Waits for a person:"} />
          <WaitedFor owner={stage.owner} />
        </p>
      )}
      {stage.retry && !directive.closed && <Retry directive={directive.id} asset={asset.id} hostname={asset.hostname} />}
      <Packages packages={asset.packages} />
      <dl className="facts">
        {asset.policy && (
          <>
            <dt>Policy</dt>
            <dd data-testid="policy">
              {asset.policy}
              {asset.approved_by.length > 0 && `; approved so far by ${asset.approved_by.join(", ")}`}
            </dd>
          </>
        )}
        {signatures && (
          <>
            <dt>Signatures</dt>
            <dd data-testid="signatures">
              {signatures.given.length} of {signatures.needed}, by keys that this host names:{" "}
              {signatures.keys.map((key) => signedBy(signatures.given, key)).join(", ")}
            </dd>
          </>
        )}
        <dt>Undo</dt>
        <dd><UndoMark text={asset.undo} /></dd>
        <dt>Units touched</dt>
        <dd>{asset.units.length > 0 ? asset.units.join(", ") : asset.undo ? "none" : "not known before the rehearsal"}</dd>
        {asset.rehearsed_ms != null && (
          <>
            <dt>Rehearsed in</dt>
            <dd>{duration(asset.rehearsed_ms)}</dd>
          </>
        )}
      </dl>
    </>
  );
}

/** A key, and who signed with it. */
function signedBy(given: SignaturesView["given"], key: string): string {
  const signed = given.find((signature) => signature.key === key);
  return signed ? `${key} (${signed.by})` : key;
}

/** What a stage without a reason of its own waits for. */
function waits({ group, mode }: DirectiveView, { observe_only, stage: { name: stage } }: DirectiveAssetView): string | null {
  if (stage === "proposed" && observe_only) return `This host can only be observed: ${observe_only}`;
  if (stage === "proposed" && mode === "observe") return `Waits until group ${group} may act.`;
  if (stage === "proposed" || stage === "approved") return "Waits for its turn on this host.";
  if (stage === "applied") return "The host reports success; its next inventory must confirm it.";
  return null;
}

const UNDO_TONES: Record<string, Tone> = { proven: "good", possible: "ask", "not-possible": "bad" };

function UndoMark({ text }: { text: string | null | undefined }) {
  if (!text) return <span data-testid="undo">not known before the rehearsal</span>;
  const { kind, word, reason } = undo(text);
  const tone = UNDO_TONES[kind] ?? "ask";
  return (
    <span data-testid="undo" data-undo={kind}>
      <span className="stage" data-tone={tone}>
        <Sign tone={tone} />
        <span>{word}</span>
      </span>
      {reason && <span>: {reason}</span>}
    </span>
  );
}

function Retry({ directive, asset, hostname }: { directive: string; asset: string; hostname: string }) {
  const allowed = useMay("operate");
  const { link } = useStore(live);
  const { submit, busy, problem } = useSend();
  const off = busy || link === "offline";
  const retry = () => void submit({ do: "retry", directive, body: { asset } });
  useCommands(allowed && !off ? [{ name: "Retry", on: hostname, run: retry }] : []);
  if (!allowed) return null;
  return (
    <div className="retry">
      <button
        type="button"
        className="button"
        data-testid="retry"
        disabled={off}
        onClick={retry}
      >
        Retry
      </button>
      <span className="hint">rehearses again, from the start</span>
      {problem && <p className="problem" role="alert">{problem}</p>}
    </div>
  );
}
