import { useState } from "react";

import type { DirectiveAssetView, DirectiveView, EvidenceView } from "./api.gen";
import { Ask } from "./ask";
import { plural, Section, Time } from "./bits";
import { live } from "./live";
import { useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** Most hosts that are listed; the rest is counted. */
const MAX_HOSTS = 50;

/** Whether nothing of a host may be changed for want of evidence. */
export function lacks({ evidence }: DirectiveAssetView): boolean {
  return !!evidence && evidence.state !== "sealed" && evidence.state !== "waived";
}

/** What is preserved of hosts before anything changes, where the row asks for it, and leave to go on without. */
export function Preserved({ directive }: { directive: DirectiveView }) {
  const counts = directive.evidence;
  if (!counts) return null;
  const of = directive.assets.filter((asset) => asset.evidence);
  // What needs somebody comes first.
  const hosts = of.toSorted((a, b) => Number(lacks(b)) - Number(lacks(a)));
  const told = [
    counts.sealed > 0 && `sealed of ${plural(counts.sealed, "host")}`,
    counts.waived > 0 && `waived of ${plural(counts.waived, "host")}`,
    counts.lacking > 0 && `missing of ${plural(counts.lacking, "host")}`,
  ].filter(Boolean);
  return (
    <Section id="preserved" title="Evidence before any change" aside={<p className="hint">{told.join(", ")}</p>}>
      {counts.lacking > 0 && (
        <p className="callout" data-testid="lacking" role="status">
          Nothing of these hosts is changed, by this directive or another, before evidence is sealed or somebody waives it by name.
        </p>
      )}
      <ul className="preserved">
        {hosts.slice(0, MAX_HOSTS).map((asset) => asset.evidence && <OfHost key={asset.id} id={directive.id} asset={asset} evidence={asset.evidence} />)}
      </ul>
      {hosts.length > MAX_HOSTS && <p className="sub">and {hosts.length - MAX_HOSTS} more</p>}
      {counts.lacking > 0 && !directive.closed && <Waive id={directive.id} lacking={counts.lacking} />}
    </Section>
  );
}

function OfHost({ id, asset, evidence }: { id: string; asset: DirectiveAssetView; evidence: EvidenceView }) {
  const reads = useMay("investigate");
  const { state, since, document, bytes, gaps, by, why } = evidence;
  return (
    <li data-testid="preserved-host" data-state={state}>
      <p className="sub">
        <b>{asset.hostname}</b> {state === "ordered" ? "has its order" : state === "waiting" ? "waits for its order" : state}
        {by && <> by {by}</>}
        {since && (
          <>
            , <Time at={since} />
          </>
        )}
      </p>
      {document && (
        <p className="text">
          <span className="id" title={`SHA-256 ${document}`}>{document.slice(0, 12)}</span>, {Math.max(1, Math.round((bytes ?? 0) / 1024))} KiB,{" "}
          {gaps.length > 0 ? `gaps in ${gaps.join(", ")}` : "no gaps"}
          {reads && (
            <>
              {" "}
              <a href={`/api/v1/directives/${encodeURIComponent(id)}/evidence/${encodeURIComponent(asset.id)}`} target="_blank" rel="noreferrer">
                Open
              </a>
            </>
          )}
        </p>
      )}
      {why && <p className="text">{why}</p>}
    </li>
  );
}

function Waive({ id, lacking }: { id: string; lacking: number }) {
  const allowed = useMay("approve");
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  if (!allowed) return null;
  const off = sender.busy || link === "offline";
  return (
    <>
      {asking ? (
        <Ask
          id="waive"
          label={`Why may ${plural(lacking, "host")} be changed without evidence? It stays in the record, with your name.`}
          go="Waive evidence"
          sender={sender}
          off={off}
          onSay={async (why) => {
            if (await sender.submit({ do: "evidence-waiver", directive: id, body: { why } })) setAsking(false);
          }}
          onCancel={() => setAsking(false)}
        />
      ) : (
        <div className="buttons">
          <button type="button" className="button quiet" data-testid="open-waive" disabled={off} onClick={() => setAsking(true)}>
            Waive evidence…
          </button>
        </div>
      )}
      {sender.problem && <p className="problem" role="alert">{sender.problem}</p>}
    </>
  );
}
