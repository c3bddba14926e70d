import { useEffect, useRef } from "react";

import type { DirectiveView, Overview } from "./api.gen";
import { count, Section, StageMark, Time, Unseen, plural } from "./bits";
import { keys } from "./keys";
import { ModeButton, whatActing } from "./let-it-act";
import { NoRights } from "./no-rights";
import { open, place } from "./place";
import { NothingOpen } from "./nothing-open";
import { stageCounts } from "./stages";
import { may, session } from "./session";
import { useStore } from "./store";
import { due, useNow } from "./time";

/** The open directives, in the order that Tenon gives them: the most urgent first. */
export function Queue({ overview, covered }: { overview: Overview; covered: boolean }) {
  const { queue, assets } = overview;
  const here = useStore(place);
  const allowed = may(useStore(session), "operate");
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => keys(list, covered), [covered]);
  const onlyObserved = assets.length > 0 && assets.every((asset) => asset.mode === "observe");
  const able = assets.filter((asset) => !asset.observe_only);
  const groups = [...new Set(able.map((asset) => asset.group))];
  return (
    <Section
      id="queue"
      title="Queue"
      aside={queue.length > 0 && (
        <p className="hint">
          most urgent first
          <span className="keys" aria-hidden="true">
            <kbd>j</kbd> <kbd>k</kbd> move <kbd>Enter</kbd> opens <kbd>Esc</kbd> closes
          </span>
        </p>
      )}
    >
      {onlyObserved && queue.length > 0 && (
        <div className="callout" data-testid="only-observing">
          <p>
            <strong>Tenon only looks.</strong> What it found is listed; nothing is rehearsed until a group may act.
          </p>
          <p className="mode-says">
            {able.length > 0
              ? whatActing("observe", able.length)
              : `${assets.length === 1 ? "This host can only be observed" : "These hosts can only be observed"}: ${assets[0]?.observe_only ?? ""}.`}
          </p>
          <div className="buttons">
            {groups.length === 0 ? null : allowed ? (
              groups.map((group) => <ModeButton key={group} group={group} mode="observe" named={groups.length > 1} testid="promote-first" />)
            ) : (
              <NoRights />
            )}
          </div>
        </div>
      )}
      {queue.length === 0 ? (
        <NothingOpen overview={overview} />
      ) : (
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
          <ul className="rows" ref={list}>
            {queue.map((directive, index) => (
              <Row key={directive.id} directive={directive} first={index === 0} selected={here?.id === directive.id} />
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function Row({ directive, first, selected }: { directive: DirectiveView; first: boolean; selected: boolean }) {
  const { decision } = directive;
  return (
    <li>
      <button
        type="button"
        className="row queue-grid"
        data-testid="queue-row"
        data-id={directive.id}
        aria-current={selected || undefined}
        tabIndex={selected || first ? 0 : -1}
        onClick={() => open(directive.id)}
      >
        <span className="cell what">
          <Title directive={directive} />
          <span className="sub">{effect(directive)}</span>
        </span>
        <Due at={directive.due} />
        <span className="cell decision">
          <span>{decision.outcome}</span>
          <span className="sub">row {decision.row}</span>
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
}

/** The title with its package standing out, where it has the usual form. */
export function Title({ directive: { title, source, version } }: { directive: DirectiveView }) {
  if (title !== `upgrade ${source} to ${version}`) return <span className="title">{title}</span>;
  return (
    <span className="title">
      upgrade <b>{source}</b> to <span className="version">{version}</span>
    </span>
  );
}

/** What doing it closes, in few words. */
function effect(directive: DirectiveView): string {
  const { closes, claims, because } = directive;
  const said = [
    closes.length > 0 && `closes ${plural(closes.length, "vulnerability", "vulnerabilities")}`,
    claims.length > 0 && `${plural(claims.length, "claim")}, unconfirmed`,
    because.some((basis) => basis.source === "kev") && "exploited somewhere (KEV)",
  ].filter((part) => part !== false);
  return said.length > 0 ? said.join(" · ") : "vendor update, no published advisory";
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
