import type { AssetDetail, AssetView, FindingView } from "./api.gen";
import { getAsset } from "./api";
import { AsThen } from "./as-of";
import { AssetReach } from "./asset-reach";
import { Attacks } from "./attacks";
import { Mode } from "./assets";
import { count, Note, plural, Section, Time } from "./bits";
import { ControlsBefore } from "./controls";
import { FindingWhy } from "./finding-why";
import { Packages } from "./packages";
import { PanelFrame } from "./panel";
import { openFrom } from "./place";
import { useLoaded } from "./use";

/** One asset with its findings. */
export function AssetPanel({ id, version }: { id: string; version: number }) {
  const detail = useLoaded(getAsset, id, version);
  const asset = detail.is === "here" ? detail.value : null;
  return (
    <PanelFrame id={id} title={asset?.hostname ?? id} sub={asset && <Summary asset={asset} />}>
      {asset && <Facts asset={asset} />}
      {detail.is === "loading" && <p className="empty" aria-busy="true">Reading its findings…</p>}
      {detail.is === "missing" && <Note tone="bad"><AsThen why={detail.why} /></Note>}
      {detail.is === "here" && <AssetReach id={id} version={version} />}
      {detail.is === "here" && <Findings detail={detail.value} version={version} />}
    </PanelFrame>
  );
}

function Summary({ asset }: { asset: AssetView }) {
  return (
    <>
      group {asset.group} <Mode mode={asset.mode} /> <span className="id">{asset.id}</span>
    </>
  );
}

function Facts({ asset }: { asset: AssetView }) {
  return (
    <div className="section">
      {asset.not_assessed.map((reason) => (
        <Note key={reason} tone="ask" testid="gap">
          not wholly assessed: {reason}
        </Note>
      ))}
      {asset.gaps.map((gap) => (
        <Note key={gap} tone="ask" testid="gap">
          not known: {gap}
        </Note>
      ))}
      {asset.retired && (
        <Note tone="ask">
          retired since <Time at={asset.retired.at} />
          {asset.retired.by && ` by ${asset.retired.by}`}: {asset.retired.said}. It is back if it reports again.
        </Note>
      )}
      {asset.cloned && <Note tone="bad">Two hosts report with its key. Nothing is ordered until one of them is enrolled anew.</Note>}
      {asset.observe_only && <Note tone="ask">can only observe: {asset.observe_only}</Note>}
      {asset.approval && (
        <Note tone="ask" testid="signatures">
          No change without signatures by {asset.approval.needed} of these keys, which are not Tenon's: {asset.approval.keys.join(", ")}
        </Note>
      )}
      <dl className="facts">
        <dt>System</dt>
        <dd>{asset.os ?? "not known yet"}</dd>
        <dt>Kernel</dt>
        <dd className="mono">{asset.kernel ?? "not known yet"}</dd>
        <dt>Packages</dt>
        <dd>{asset.reported ? count(asset.packages) : "not known yet"}</dd>
        <dt>Reported</dt>
        <dd>{asset.reported ? <Time at={asset.reported} /> : "never"}</dd>
        <dt>Other updaters</dt>
        <dd>{asset.updaters.join(", ") || "none seen"}</dd>
        <dt>Reboot</dt>
        <dd>{asset.reboot_required_by.length > 0 ? `asked for by ${asset.reboot_required_by.join(", ")}` : "not asked for"}</dd>
        {asset.order && (
          <>
            <dt>Order</dt>
            <dd>{asset.order} is out</dd>
          </>
        )}
      </dl>
    </div>
  );
}

function Findings({ detail, version }: { detail: AssetDetail; version: number }) {
  const whole = detail.not_assessed.length + detail.gaps.length === 0;
  return (
    <>
      <Attacks attacks={detail.attacks} />
      <Section id="offers" title="Security updates offered" aside={<p className="hint">by its own repositories</p>}>
        {detail.offers.length > 0 ? <Packages packages={detail.offers} /> : <None whole={whole} />}
      </Section>
      <Section id="findings" title="Open findings" aside={<p className="hint">{plural(detail.open.length, "finding")}</p>}>
        {detail.open.length === 0 ? (
          <None whole={whole} />
        ) : (
          <ul className="findings">
            {detail.open.map((finding) => (
              <Finding key={`${finding.vulnerability} ${finding.advisory} ${finding.source} ${finding.installed}`} asset={detail.id} finding={finding} version={version} />
            ))}
          </ul>
        )}
      </Section>
      {detail.suppressed.length > 0 && (
        <Section id="suppressed" title="Off the list" aside={<p className="hint">by suppliers' statements</p>}>
          <ul className="findings">
            {detail.suppressed.map((one) => (
              <li key={`${one.vulnerability} ${one.source} ${one.installed}`} className="finding">
                <p>
                  <b>{one.vulnerability}</b> <span className="faint">in {one.source} {one.installed}</span>
                </p>
                <p>{one.reason}</p>
                <p className="sub">
                  stated by {one.author}, <Time at={one.made} />
                </p>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <ControlsBefore controls={detail.controls} />
      {detail.accepted.length > 0 && (
        <Section id="accepted" title="Accepted risk" aside={<p className="hint">there, and off the queue</p>}>
          <ul className="findings">
            {detail.accepted.map((one) => (
              <li key={`${one.vulnerability} ${one.source} ${one.installed}`} className="finding" data-testid="accepted-finding">
                <p>
                  <button type="button" className="link" onClick={() => openFrom(one.vulnerability)}>
                    <b>{one.vulnerability}</b>
                  </button>{" "}
                  <span className="faint">in {one.source} {one.installed}</span>
                </p>
                <p>Against it: {one.control}</p>
                <p className="sub">
                  {one.exception} until <Time at={one.until} />, {one.owner} answers for it
                </p>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

const None = ({ whole }: { whole: boolean }) => (
  <p className="empty">{whole ? "None." : "None known, but this host is not wholly assessed: see the reasons above."}</p>
);

function Finding({ asset, finding, version }: { asset: string; finding: FindingView; version: number }) {
  return (
    <li className="finding" data-testid="finding">
      <p>
        <button type="button" className="link" data-testid="vulnerability" onClick={() => openFrom(finding.vulnerability)}>
          <b>{finding.vulnerability}</b>
        </button>
        {finding.advisory !== finding.vulnerability && <span className="faint"> by {finding.advisory}</span>}
      </p>
      <p>
        {finding.source} <span className="version">{finding.installed}</span>
        {finding.fixed && (
          <>
            , fixed in <span className="version">{finding.fixed}</span>
          </>
        )}
      </p>
      <p className="sub">
        {finding.said} · open since <Time at={finding.opened} />
      </p>
      <FindingWhy asset={asset} vulnerability={finding.vulnerability} version={version} />
    </li>
  );
}
