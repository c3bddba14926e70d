import { useState } from "react";

import { ApplyEvidence } from "./apply-evidence";
import type { DirectiveAssetView, DirectiveView } from "./api.gen";
import { Note, Section } from "./bits";
import { RehearsalEvidence } from "./rehearsal-evidence";
import { report } from "./reports";
import { useLoaded } from "./use";

/** What hosts reported: fetched when a person looks at it. */
export function EvidenceOf({ directive }: { directive: DirectiveView }) {
  const told = directive.assets.filter((asset) => asset.stage.report);
  return (
    <Section id="evidence" title="Evidence">
      {told.length === 0 && <p className="empty">{none(directive)}</p>}
      {told.map((asset) => (
        // One report alone is what the reader came for: it is open already.
        <OfAsset key={`${asset.id} ${asset.stage.report}`} asset={asset} opened={told.length === 1} />
      ))}
    </Section>
  );
}

function none({ assets }: DirectiveView): string {
  const over = assets.length > 0 && assets.every(({ stage }) => stage.name === "verified" || stage.name === "fixed-otherwise");
  return over
    ? "The hosts' later inventories show the fix. The reports before that are in the record."
    : "No report yet: the rehearsal brings the first one.";
}

function OfAsset({ asset, opened }: { asset: DirectiveAssetView; opened: boolean }) {
  const [open, setOpen] = useState(opened);
  const digest = asset.stage.report ?? "";
  return (
    <details className="report" open={open} data-testid="evidence-of" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {asset.hostname} <span className="id" title={`SHA-256 ${digest}`}>{digest.slice(0, 12)}</span>
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
