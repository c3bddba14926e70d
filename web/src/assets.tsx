import { useState } from "react";

import { getAssets } from "./api";
import type { AssetView, GroupView, Overview } from "./api.gen";
import { count, Note, plural, Section, Sign, Time, Unseen } from "./bits";
import { Choose, Find, queryOf } from "./find";
import { LetItAct } from "./let-it-act";
import { useListed } from "./listed";
import { type Moment, moment } from "./moment";
import { open, place } from "./place";
import { Retired } from "./retired";
import { Rows } from "./rows";
import { useSaid } from "./said";
import { useStore } from "./store";
import { useLoaded } from "./use";

/** Groups that fit one under the other; of more, one is chosen. */
const FIT = 12;
/** So few assets are read and not searched. */
const FEW = 20;

/** How many hosts are retired. */
const countRetired = async (query: string, then: Moment): Promise<number> => (await getAssets(query, 0, 1, then)).total;

/** The hosts, and from here those that are gone. */
export function Assets({ overview, version }: { overview: Overview; version: number }) {
  const [gone, setGone] = useState(false);
  const { assets } = overview;
  const retired = useLoaded(countRetired, "retired=true", version);
  const known = retired.is === "here" ? retired.value : null;
  return (
    <Section
      id="assets"
      title={gone ? "Retired assets" : "Assets"}
      aside={
        <p className="hint">
          {!gone && assets > 0 && `${plural(assets, "host")} · `}
          <button type="button" className="link" data-testid="to-retired" onClick={() => setGone(!gone)}>
            {gone ? `Back to the ${plural(assets, "host")}` : known === null ? "retired" : `${count(known)} retired`}
          </button>
        </p>
      }
    >
      {gone ? <Retired overview={overview} version={version} /> : <Enrolled overview={overview} retired={known} version={version} />}
    </Section>
  );
}

/** The hosts that count, by group: whether agents may act is decided for a group. */
function Enrolled({ overview: { assets, groups }, retired, version }: { overview: Overview; retired: number | null; version: number }) {
  const past = useStore(moment) !== null;
  const [text, setText] = useSaid("assets.q");
  const [chosen, setChosen] = useSaid("assets.group");
  const shown = groups.filter((group) => group.name === chosen);
  const apart = text === "" && (shown.length > 0 || groups.length <= FIT);
  return (
    <>
      {(assets > FEW || groups.length > FIT || text !== "" || chosen !== "") && (
        <div className="tools">
          <Find label="Host name" testid="find-asset" value={text} onFind={setText} />
          {(groups.length > 1 || chosen !== "") && (
            <Choose label="Group" testid="asset-group-choice" value={chosen} of={[["", "all groups"], ...groups.map(({ name }): [string, string] => [name, `group ${name}`])]} onChoose={setChosen} />
          )}
        </div>
      )}
      {assets === 0 && retired !== null && retired > 0 && <p className="empty">None: {retired === 1 ? "the only one is retired" : `all ${count(retired)} are retired`}.</p>}
      {assets === 0 && past && retired === 0 && <p className="empty">None then.</p>}
      {assets === 0 && !past && retired === 0 && (
        <p className="empty">
          None yet. This machine appears after its agent's first report; more join with <code>tenon enrol-token</code>.
        </p>
      )}
      {assets > 0 && apart && (shown.length > 0 ? shown : groups).map((group) => <Group key={group.name} group={group} version={version} />)}
      {assets > 0 && !apart && <Hosts query={queryOf({ q: text, group: chosen })} version={version} />}
    </>
  );
}

function Group({ group: { name, mode, assets }, version }: { group: GroupView; version: number }) {
  return (
    <div className="group-of-assets" data-testid="asset-group" data-group={name}>
      <div className="group-head">
        <h3>
          group {name} <Mode mode={mode} />
        </h3>
        <LetItAct group={name} mode={mode} assets={assets} />
      </div>
      <Hosts query={queryOf({ group: name })} version={version} />
    </div>
  );
}

function Hosts({ query, version }: { query: string; version: number }) {
  const here = useStore(place);
  const listed = useListed(getAssets, query, version);
  const { page } = listed;
  return (
    <div aria-busy={(page === null && !listed.problem) || undefined}>
      <div className="heads asset-grid" aria-hidden="true">
        <span>Host</span>
        <span>System</span>
        <span className="right">Packages</span>
        <span className="right">Findings</span>
        <span className="right">Offered</span>
        <span>Reported</span>
      </div>
      {page?.total === 0 && <p className="empty">No host is called that.</p>}
      {page !== null && page.total > 0 && (
        <Rows listed={listed} total={page.total} of={query} row={(asset, at) => <Row key={asset.id} asset={asset} at={at} selected={here?.id === asset.id} />} />
      )}
      {listed.problem && <Note tone="bad">{listed.problem}</Note>}
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

function Row({ asset, at, selected }: { asset: AssetView; at: number; selected: boolean }) {
  const never = !asset.reported;
  return (
    <li data-place={at}>
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
const FIT_REASONS = 2;

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
  const more = reasons.length - FIT_REASONS;
  if (reasons.length === 0) return null;
  return (
    <span className="remark" data-tone="ask" data-testid={testid}>
      <Sign tone="ask" />
      <span>
        {title}: {reasons.slice(0, FIT_REASONS).join("; ")}
        {more > 0 && `; and ${more} more`}
      </span>
    </span>
  );
}
