import { useState } from "react";

import { ApplyEvidence } from "./apply-evidence";
import type { DirectiveAssetView, DirectiveView, OrderView } from "./api.gen";
import { Note, Section, Time } from "./bits";
import { RehearsalEvidence } from "./rehearsal-evidence";
import { report } from "./reports";
import { useLoaded } from "./use";

/** What hosts reported, the newest first: fetched when a person looks at it. */
export function EvidenceOf({ directive }: { directive: DirectiveView }) {
  const told = directive.assets.flatMap((asset) =>
    asset.orders.filter((order) => order.report).toReversed().map((order, back) => ({ asset, order, newest: back === 0 })),
  );
  const hosts = new Set(told.map(({ asset }) => asset.id)).size;
  return (
    <Section id="evidence" title="Evidence">
      {told.length === 0 && <p className="empty">No report yet: the rehearsal brings the first one.</p>}
      {told.map(({ asset, order, newest }) => (
        // The newest report of a host alone is what the reader came for: it is open already.
        <OfOrder key={order.id} asset={asset} order={order} opened={newest && hosts === 1} />
      ))}
    </Section>
  );
}

const NAMES: Record<string, string> = { rehearse: "rehearsal", apply: "change" };

function OfOrder({ asset, order, opened }: { asset: DirectiveAssetView; order: OrderView; opened: boolean }) {
  const [open, setOpen] = useState(opened);
  const digest = order.report ?? "";
  return (
    <details className="report" open={open} data-testid="evidence-of" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {NAMES[order.action] ?? order.action} on {asset.hostname}
        {order.answered && (
          <>
            , <Time at={order.answered} />
          </>
        )}{" "}
        <span className="id" title={`${order.id}, SHA-256 ${digest}`}>{digest.slice(0, 12)}</span>
      </summary>
      {open && <Content digest={digest} asset={asset} />}
    </details>
  );
}

function Content({ digest, asset }: { digest: string; asset: DirectiveAssetView }) {
  const loaded = useLoaded(report, digest, digest);
  if (loaded.is === "loading") return <p className="empty" aria-busy="true">Reading the report…</p>;
  if (loaded.is === "missing") return <Note tone="bad">{loaded.why}</Note>;
  const { value } = loaded;
  return value.kind === "rehearsal" ? (
    <RehearsalEvidence report={value.report} asked={asset.packages.map((target) => `${target.package}:${target.architecture}`)} />
  ) : (
    <ApplyEvidence report={value.report} />
  );
}
