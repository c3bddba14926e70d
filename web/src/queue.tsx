import { memo, useEffect, useRef } from "react";

import { getDirectives } from "./api";
import type { DirectiveLine, DirectivesPage, DirectiveView, Overview } from "./api.gen";
import { count, Note, Section, StageMark, Time, Unseen, plural } from "./bits";
import { ALL, choice, choose, look, narrows } from "./choice";
import { Choose, Find, queryOf } from "./find";
import { ALL_FOLDED, NONE_FOLDED } from "./folds";
import { keys } from "./keys";
import { useListed } from "./listed";
import { ModeButton, whatActing } from "./let-it-act";
import { NoRights } from "./no-rights";
import { Parted } from "./parted";
import { BY, DONE_BY, DUE } from "./parts";
import { open, place } from "./place";
import { NothingOpen } from "./nothing-open";
import { Rows } from "./rows";
import { stageCounts } from "./stages";
import { useMay } from "./session";
import { useStore } from "./store";
import { due, useNow } from "./time";
import { views } from "./views";
import { ViewsMenu } from "./views-menu";

const SORTS: [string, string][] = [
  ["urgency", "most urgent first"],
  ["removes", "most risk first"],
  ["per-change", "most risk per change first"],
  ["assets", "most assets first"],
  ["raised", "newest first"],
  ["package", "by package"],
  ["group", "by group"],
];

/** A queue of so few is read and not searched. */
const FEW = 10;

interface Shown {
  overview: Overview;
  version: number;
  assetsVersion: number;
  covered: boolean;
}

/** The open directives: the most urgent first, or as one chooses. */
export function Queue({ overview, version, assetsVersion, covered }: Shown) {
  const here = useStore(place);
  const list = useRef<HTMLUListElement>(null);
  const parted = useRef<HTMLDivElement>(null);
  const chosen = useStore(choice);
  const { q, sort, group, outcome, due, assignee, by, folded } = chosen;
  const named = useStore(views).all.length > 0;
  const query = queryOf({ q, sort: sort === ALL.sort ? "" : sort, group, outcome, due, assignee, group_by: by });
  const listed = useListed(getDirectives, query, version);
  useEffect(() => keys(by === "" ? list : parted, covered), [by, covered]);
  const { page } = listed;
  const filtered = narrows(chosen);
  const empty = overview.open === 0 && !filtered;
  const row = (directive: DirectiveLine, at: number) => <Row key={directive.id} directive={directive} at={at} selected={here?.id === directive.id} />;
  return (
    <Section
      id="queue"
      title="Queue"
      busy={page === null && !listed.problem}
      aside={!empty && (
        <p className="hint">
          {page?.totals && <Totals page={page} filtered={filtered} />}
          <span className="keys" aria-hidden="true">
            <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> opens <kbd>Esc</kbd> closes
          </span>
        </p>
      )}
    >
      {!empty && <OnlyLooks overview={overview} />}
      {(overview.open > FEW || filtered || named) && (
        <div className="tools">
          <ViewsMenu />
          <Find label="Package, CVE, advisory, group" testid="find" value={q} onFind={look} />
          <Choose label="Order" testid="sort" value={sort} of={SORTS} onChoose={(sort) => choose({ sort })} />
          {overview.groups.length > 1 && (
            <Choose label="Group" testid="group" value={group} of={[["", "all groups"], ...overview.groups.map(({ name }): [string, string] => [name, `group ${name}`])]} onChoose={(group) => choose({ group })} />
          )}
          <Choose label="Due date" testid="due" value={due} of={DUE} onChoose={(due) => choose({ due })} />
          <Choose label="Done by" testid="assignee-filter" value={assignee} of={DONE_BY} onChoose={(assignee) => choose({ assignee })} />
          <Choose label="Grouping" testid="by" value={by} of={BY} onChoose={(by) => choose({ by, folded: NONE_FOLDED })} />
          {by !== "" && (
            <button type="button" className="link" data-testid="fold-all" onClick={() => choose({ folded: folded === ALL_FOLDED ? NONE_FOLDED : ALL_FOLDED })}>
              {folded === ALL_FOLDED ? "Unfold all" : "Fold all"}
            </button>
          )}
          {outcome !== "" && (
            <button type="button" className="choose" data-testid="outcome" title="Show every decision" onClick={() => choose({ outcome: "" })}>
              decision {outcome} <span aria-hidden="true">×</span>
              <Unseen>: show every decision</Unseen>
            </button>
          )}
          {filtered && (
            <button type="button" className="link" data-testid="unfilter" onClick={() => choose({ ...ALL, sort, by, folded })}>
              Show all
            </button>
          )}
        </div>
      )}
      {empty && <NothingOpen overview={overview} version={assetsVersion} />}
      {!empty && page?.total === 0 && filtered && (
        <div className="empty" data-testid="none-found">
          <p>Nothing in the queue is like that.</p>
        </div>
      )}
      {!empty && page !== null && page.total > 0 && (
        <>
          <div className="heads queue-grid" aria-hidden="true">
            <span>What to do</span>
            <span>Due</span>
            <span>Decision</span>
            <span>Group</span>
            <span className="right" title="Risk points that doing it removes">Risk points</span>
            <span className="right">Assets</span>
            <span>Stage</span>
          </div>
          {page.parts && page.parts.length > 0 ? <Parted listed={listed} page={page} of={query} list={parted} row={row} /> : <Rows listed={listed} total={page.total} of={query} list={list} row={row} />}
        </>
      )}
      {listed.problem && <Note tone="bad">{listed.problem}</Note>}
    </Section>
  );
}

/** What is in the list comes to. */
function Totals({ page: { total, totals }, filtered }: { page: DirectivesPage; filtered: boolean }) {
  if (!totals) return null;
  const { overdue = 0 } = totals.due;
  return (
    <span data-testid="totals">
      {count(total)} {filtered ? "found" : "to do"}, removing <span className="number">{count(Number(totals.removes))}</span> risk points
      {overdue > 0 && (
        <>
          , <b className="late">{count(overdue)} overdue</b>
        </>
      )}
    </span>
  );
}

/** Groups whose letting act fits here; the others have it with their assets. */
const FIT = 5;

/** Where nothing may act yet, that is said, with the way to change it. */
function OnlyLooks({ overview: { assets, groups } }: { overview: Overview }) {
  const allowed = useMay("operate");
  if (assets === 0 || groups.some((group) => group.mode !== "observe")) return null;
  return (
    <div className="callout" data-testid="only-observing">
      <p>
        <strong>Tenon only looks.</strong> What it found is listed; nothing is rehearsed until a group may act.
      </p>
      <p className="mode-says">{whatActing("observe", assets)}</p>
      <div className="buttons">
        {allowed ? (
          groups.slice(0, FIT).map((group) => (
            <ModeButton key={group.name} group={group.name} mode="observe" assets={group.assets} named={groups.length > 1} testid="promote-first" />
          ))
        ) : (
          <NoRights />
        )}
      </div>
    </div>
  );
}

/** Drawn again only where it is another: a list that scrolls draws the rows that come into sight. */
const Row = memo(function Row({ directive, at, selected }: { directive: DirectiveLine; at: number; selected: boolean }) {
  return (
    <li data-place={at}>
      <button
        type="button"
        className="row queue-grid"
        data-testid="queue-row"
        data-id={directive.id}
        aria-current={selected || undefined}
        tabIndex={selected || at === 0 ? 0 : -1}
        onClick={() => open(directive.id)}
      >
        <span className="cell what">
          <Title directive={directive} />
          <span className="sub">{effect(directive)}</span>
        </span>
        <Due at={directive.due} />
        <span className="cell decision">
          <span>{directive.outcome}</span>
          <span className="sub">row {directive.row}</span>
        </span>
        <span className="cell group">
          <Unseen>group </Unseen>
          {directive.group}
        </span>
        <span className="cell right removes">
          <span className="unit">removes </span>
          <span className="number">{directive.removes}</span>
          <span className="unit"> risk points</span>
        </span>
        <span className="cell right on">
          <span className="unit">on </span>
          <span className="number">{count(directive.asset_count)}</span>
          <span className="unit"> {directive.asset_count === 1 ? "asset" : "assets"}</span>
        </span>
        <span className="cell stages">
          {stageCounts(directive).map(({ stage, assets }) => (
            <StageMark key={stage} stage={stage} {...(directive.asset_count > 1 && { of: assets })} />
          ))}
        </span>
      </button>
    </li>
  );
});

/** The title with its package standing out, where it has the usual form. */
export function Title({ directive: { title, source, version } }: { directive: Pick<DirectiveView, "title" | "source" | "version"> }) {
  if (title !== `upgrade ${source} to ${version}`) return <span className="title">{title}</span>;
  return (
    <span className="title">
      upgrade <b>{source}</b> to <span className="version">{version}</span>
    </span>
  );
}

/** What doing it closes, in few words. */
function effect({ closes_count, claims_count, exploited, attacked, assignee, disputed, notes }: DirectiveLine): string {
  const said = [
    attacked > 0 && `attack seen on ${plural(attacked, "host")}`,
    closes_count > 0 && `closes ${plural(closes_count, "vulnerability", "vulnerabilities")}`,
    claims_count > 0 && `${plural(claims_count, "claim")}, unconfirmed`,
    exploited && "exploited somewhere (KEV)",
  ].filter((part) => part !== false);
  if (said.length === 0) said.push("vendor update, no published advisory");
  if (assignee) said.push(`${assignee.person} does it`);
  if (notes > 0) said.push(disputed ? "disputed" : plural(notes, "note"));
  return said.join(" · ");
}

export function Due({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) {
    return (
      <span className="cell due" data-tone="later">
        <span>no date</span>
      </span>
    );
  }
  const time = Date.parse(at);
  const far = Number.isNaN(time) ? { text: at, tone: "later" } : due(time, now);
  return (
    <span className="cell due" data-tone={far.tone}>
      <span className="far">
        <Unseen>due </Unseen>
        {far.text}
      </span>
      <span className="sub">
        <Time at={at} />
      </span>
    </span>
  );
}
