import { useState } from "react";

import { getAssets } from "./api";
import type { AssetView, Overview } from "./api.gen";
import { Note, Said, Time, Unseen } from "./bits";
import { Find, queryOf } from "./find";
import { useListed } from "./listed";
import { moment } from "./moment";
import { open, place } from "./place";
import { EntryList, useRecord } from "./record";
import { Rows } from "./rows";
import { useStore } from "./store";

/** So few hosts are read and not searched. */
const FEW = 20;

/** The hosts that are gone, and what the record says of hosts that went and came back. */
export function Retired({ overview, version }: { overview: Overview; version: number }) {
  const here = useStore(place);
  const past = useStore(moment) !== null;
  const [text, setText] = useState("");
  const query = queryOf({ retired: "true", q: text });
  const listed = useListed(getAssets, query, version);
  const { page } = listed;
  return (
    <div data-testid="retired" aria-busy={(page === null && !listed.problem) || undefined}>
      <p className="hint below">
        {past ? "Gone by then, and counted nowhere." : "Gone, and counted nowhere."} A host that reports again is back by itself.
      </p>
      {((page?.total ?? 0) > FEW || text !== "") && (
        <div className="tools">
          <Find label="Host name" testid="find-retired" onFind={setText} />
        </div>
      )}
      {page?.total === 0 && text === "" && <p className="empty ruled">{past ? "No host was retired then." : "No host is retired now."}</p>}
      {page?.total === 0 && text !== "" && <p className="empty ruled">No retired host is called that.</p>}
      {page !== null && page.total > 0 && (
        <>
          <div className="heads retired-grid" aria-hidden="true">
            <span>Host</span>
            <span>Retired</span>
            <span>By</span>
            <span>Why</span>
          </div>
          <Rows listed={listed} total={page.total} of={query} row={(asset, at) => <Row key={asset.id} asset={asset} at={at} selected={here?.id === asset.id} />} />
        </>
      )}
      {listed.problem && <Note tone="bad">{listed.problem}</Note>}
      {/* Whoever goes or comes back changes how many there are. The record is long: for less it is not read again. */}
      {page !== null && <GoneAndBack overview={overview} version={text === "" ? page.total : null} />}
    </div>
  );
}

/** Who is behind it, where no person is. */
const BEHIND: Record<string, string> = { superseded: "a new installation", silent: "the policy" };

function Row({ asset, at, selected }: { asset: AssetView; at: number; selected: boolean }) {
  const { retired } = asset;
  return (
    <li data-place={at}>
      <button type="button" className="row retired-grid" data-testid="retired-row" data-id={asset.id} aria-current={selected || undefined} onClick={() => open(asset.id)}>
        <span className="cell what">
          <b>{asset.hostname}</b> <span className="sub">group {asset.group}</span>
        </span>
        <span className="cell when">
          <Unseen>retired </Unseen>
          {retired && <Time at={retired.at} />}
        </span>
        <span className="cell by">
          <span className="unit">by </span>
          {retired && (retired.by ?? BEHIND[retired.reason] ?? retired.reason)}
        </span>
        <span className="cell why">{retired && <Said text={retired.said} />}</span>
      </button>
    </li>
  );
}

/** Of an asset that is retired, and of one that is back: the kinds begin so. */
const KINDS = queryOf({ kind: "asset-ret" });

/** What the record says of hosts that went and came back, the newest first; as much of it as one asks for. */
function GoneAndBack({ overview, version }: { overview: Overview; version: number | null }) {
  const record = useRecord(overview, KINDS, version);
  return (
    <div className="recorded" data-testid="recorded" aria-busy={record.busy || undefined}>
      <h3>Gone and back, as recorded</h3>
      <EntryList record={record} nothing="No host was ever retired." further="Look further back" />
    </div>
  );
}
