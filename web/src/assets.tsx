import type { AssetView } from "./api.gen";
import { count, plural, Section, Sign, Time, Unseen } from "./bits";
import { LetItAct } from "./let-it-act";
import { open, place } from "./place";
import { useStore } from "./store";

/** The hosts, by group: whether agents may act is decided for a group. */
export function Assets({ assets }: { assets: AssetView[] }) {
  const names = [...new Set(assets.map((asset) => asset.group))].sort();
  const groups = names.map((group) => ({ group, members: assets.filter((asset) => asset.group === group) }));
  return (
    <Section id="assets" title="Assets" aside={assets.length > 0 && <p className="hint">{plural(assets.length, "host")}</p>}>
      {groups.length === 0 && (
        <p className="empty">
          None yet. This machine appears after its agent's first report; more join with <code>tenon enrol-token</code>.
        </p>
      )}
      {groups.map(({ group, members }) => (
        <Group key={group} group={group} members={members} />
      ))}
    </Section>
  );
}

function Group({ group, members }: { group: string; members: AssetView[] }) {
  const here = useStore(place);
  const mode = members[0]?.mode ?? "observe";
  return (
    <div className="group-of-assets" data-testid="asset-group" data-group={group}>
      <div className="group-head">
        <h3>
          group {group} <Mode mode={mode} />
        </h3>
        <LetItAct group={group} mode={mode} assets={members.length} />
      </div>
      <div className="heads asset-grid" aria-hidden="true">
        <span>Host</span>
        <span>System</span>
        <span className="right">Packages</span>
        <span className="right">Findings</span>
        <span className="right">Offered</span>
        <span>Reported</span>
      </div>
      <ul className="rows">
        {members.map((asset) => (
          <Row key={asset.id} asset={asset} selected={here?.id === asset.id} />
        ))}
      </ul>
    </div>
  );
}

export function Mode({ mode }: { mode: string }) {
  return (
    <span className="tag" data-mode={mode} data-testid="mode" title={mode === "act" ? "Tenon may act here" : "Tenon only looks here"}>
      {mode}
    </span>
  );
}

function Row({ asset, selected }: { asset: AssetView; selected: boolean }) {
  const never = !asset.reported;
  return (
    <li>
      <button
        type="button"
        className="row asset-grid"
        data-testid="asset-row"
        data-id={asset.id}
        aria-current={selected || undefined}
        onClick={() => open(asset.id)}
      >
        <span className="cell what">
          <b>{asset.hostname}</b>
        </span>
        <span className="cell system">
          <span>{asset.os ?? "system not known yet"}</span>
          <span className="sub">{asset.kernel ? `kernel ${asset.kernel}` : "kernel not known"}</span>
        </span>
        <Figure of={never ? null : asset.packages} one="package" many="packages" known />
        <Figure of={asset.findings} one="open finding" many="open findings" known={asset.not_assessed.length === 0} />
        <Figure of={asset.security_updates} one="security update offered" many="security updates offered" known={asset.gaps.length === 0} />
        <span className="cell when">
          <Unseen>reported </Unseen>
          {asset.reported ? <Time at={asset.reported} as="ago" /> : "never"}
        </span>
        <Remarks asset={asset} />
      </button>
    </li>
  );
}

/** A number of an asset. Where the host is not wholly assessed, none found is not none: no zero is shown. */
function Figure({ of, one, many, known }: { of: number | null; one: string; many: string; known: boolean }) {
  const unknown = of === null || (of === 0 && !known);
  return (
    <span className="cell right figure" data-unknown={unknown || undefined}>
      <span className="number" title={unknown ? "not known: see the reasons" : undefined}>
        {unknown ? "–" : count(of)}
      </span>
      <span className="unit">
        {" "}
        {of === 1 ? one : many}
        {unknown && " not known"}
      </span>
    </span>
  );
}

/** How many reasons fit a row; the panel has them all. */
const FIT = 2;

function Remarks({ asset }: { asset: AssetView }) {
  const { not_assessed, gaps, observe_only: reason, updaters, reboot_required_by: reboot } = asset;
  if (not_assessed.length + gaps.length + updaters.length + reboot.length === 0 && !reason) return null;
  return (
    <span className="cell remarks">
      <Reasons title="not wholly assessed" reasons={not_assessed} testid="not-assessed" />
      <Reasons title="not known" reasons={gaps} testid="gaps" />
      {reason && (
        <span className="remark" data-tone="ask">
          <Sign tone="ask" />
          <span>can only observe: {reason}</span>
        </span>
      )}
      {updaters.length > 0 && (
        <span className="remark">
          <Sign tone="run" />
          <span>also updated by {updaters.join(", ")}</span>
        </span>
      )}
      {reboot.length > 0 && (
        <span className="remark">
          <Sign tone="back" />
          <span>reboot asked for by {reboot.join(", ")}</span>
        </span>
      )}
    </span>
  );
}

function Reasons({ title, reasons, testid }: { title: string; reasons: string[]; testid: string }) {
  const more = reasons.length - FIT;
  if (reasons.length === 0) return null;
  return (
    <span className="remark" data-tone="ask" data-testid={testid}>
      <Sign tone="ask" />
      <span>
        {title}: {reasons.slice(0, FIT).join("; ")}
        {more > 0 && `; and ${more} more`}
      </span>
    </span>
  );
}
