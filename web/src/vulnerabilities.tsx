import { getVulnerabilities } from "./api";
import type { VulnerabilityLine } from "./api.gen";
import { count, Note, plural, Section, Time, Unseen } from "./bits";
import { Choose, Find, queryOf } from "./find";
import { useListed } from "./listed";
import { percent } from "./likely";
import { open, place } from "./place";
import { Rows } from "./rows";
import { useSaid } from "./said";
import { useStore } from "./store";

/** So few are read and not searched. */
const FEW = 12;

const ONLY: [string, string][] = [
  ["", "all"],
  ["exploited", "exploited somewhere"],
  ["attacked", "attacked here"],
  ["not-offered", "not closed by what is offered"],
  ["no-fix", "no fix published"],
];
const SORT: [string, string][] = [
  ["", "most risk first"],
  ["assets", "most hosts first"],
  ["foreseen", "likeliest to be exploited first"],
  ["epss", "highest EPSS first"],
  ["cvss", "highest CVSS first"],
  ["newest", "newest first"],
  ["id", "by id"],
];

/** What is open in the estate, by vulnerability. */
export function Vulnerabilities({ version }: { version: number }) {
  const here = useStore(place);
  const [q, setQ] = useSaid("open.q");
  const [only, setOnly] = useSaid("open.only");
  const [sort, setSort] = useSaid("open.sort");
  const query = queryOf({ q, only, sort });
  const listed = useListed(getVulnerabilities, query, version);
  const { page } = listed;
  return (
    <Section id="vulnerabilities" title="Vulnerabilities" busy={page === null && !listed.problem} aside={page && page.open > 0 && <p className="hint">{told(page)}</p>}>
      {page !== null && (page.open > FEW || query !== "") && (
        <div className="tools">
          <Find label="CVE or other id" testid="find-open" value={q} onFind={setQ} />
          <Choose label="Which" testid="open-only" value={only} of={ONLY} onChoose={setOnly} />
          <Choose label="Order" testid="open-sort" value={sort} of={SORT} onChoose={setSort} />
        </div>
      )}
      {page?.open === 0 && <p className="empty">No known vulnerability is open on what is assessed. What is not assessed stands under “Not seen”.</p>}
      {page !== null && page.open > 0 && page.total === 0 && <p className="empty">None of the {count(page.open)} that are open is like that.</p>}
      {page !== null && page.total > 0 && (
        <>
          <div className="heads open-grid" aria-hidden="true">
            <span>Vulnerability</span>
            <span>Threat</span>
            <span className="right">Hosts</span>
            <span className="right">Not offered</span>
            <span className="right">Risk points</span>
            <span>Known</span>
          </div>
          <Rows listed={listed} total={page.total} of={query} row={(one, at) => <Row key={one.id} one={one} at={at} selected={here?.id === one.id} />} />
        </>
      )}
      {listed.problem && <Note tone="bad">{listed.problem}</Note>}
    </Section>
  );
}

function told({ open: all, exploited, not_offered }: { open: number; exploited: number; not_offered: number }): string {
  const parts = [`${count(all)} open`];
  if (exploited > 0) parts.push(`${count(exploited)} exploited somewhere`);
  if (not_offered > 0) parts.push(`${count(not_offered)} not closed by what is offered`);
  return parts.join(" · ");
}

function Row({ one, at, selected }: { one: VulnerabilityLine; at: number; selected: boolean }) {
  return (
    <li data-place={at}>
      <button type="button" className="row open-grid" data-testid="open-row" data-id={one.id} aria-current={selected || undefined} onClick={() => open(one.id)}>
        <span className="cell what">
          <b>{one.id}</b>
        </span>
        <Threat one={one} />
        <Figure of={count(one.assets)} unit={one.assets === 1 ? "host" : "hosts"} />
        <NotOffered one={one} />
        <Figure of={one.points} unit="risk points" />
        <span className="cell when">
          <Unseen>known </Unseen>
          {one.since ? <Time at={one.since} as="ago" /> : <span className="faint">not dated</span>}
        </span>
      </button>
    </li>
  );
}

/** What says that it will be used, the surest first. */
function Threat({ one }: { one: VulnerabilityLine }) {
  const sure = [one.attacked > 0 && `attacked on ${plural(one.attacked, "host")}`, one.exploited && "exploited somewhere (KEV)"].filter((part) => part !== false);
  const scores = [one.foreseen_ppm != null && `foreseen ${percent(one.foreseen_ppm)}`, one.epss_ppm != null && `EPSS ${percent(one.epss_ppm)}`, one.cvss && `CVSS ${one.cvss}`].filter((part) => Boolean(part));
  return (
    <span className="cell threat" data-tone={sure.length > 0 ? "bad" : undefined}>
      {sure.length > 0 && <b>{sure.join(", ")}</b>}
      {scores.length > 0 ? <span className="sub">{scores.join(" · ")}</span> : sure.length === 0 && <span className="faint">no score loaded</span>}
    </span>
  );
}

function NotOffered({ one: { not_offered, no_fix } }: { one: VulnerabilityLine }) {
  const none = no_fix === not_offered ? "no fix" : `no fix on ${count(no_fix)}`;
  return (
    <span className="cell right figure" data-none={not_offered === 0 || undefined}>
      <span className="number">{count(not_offered)}</span>
      <span className="unit"> not closed by what is offered</span>
      {no_fix > 0 && <span className="sub">{none}</span>}
    </span>
  );
}

function Figure({ of, unit }: { of: string; unit: string }) {
  return (
    <span className="cell right figure">
      <span className="number">{of}</span>
      <span className="unit"> {unit}</span>
    </span>
  );
}
