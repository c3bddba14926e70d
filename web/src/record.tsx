import { useCallback, useEffect, useState } from "react";

import { getLog } from "./api";
import type { LogEntryView, Overview } from "./api.gen";
import { count, Note, plural, Said, Section, type Shape, Sign, Time } from "./bits";
import { Choose, Find, queryOf } from "./find";
import { moment } from "./moment";
import { open, VULNERABILITY } from "./place";
import { useSaid } from "./said";
import type { Tone } from "./stages";
import { useStore } from "./store";

/** Entries of one question. */
const PAGE = "50";

interface Entries {
  items: LogEntryView[];
  /** The position of the journal up to which they are all that there are. */
  upTo: number;
  next: string | null;
}

/** Entries of the record, the newest first, as far back as one looked. */
export interface Record {
  entries: Entries | null;
  problem: string | null;
  busy: boolean;
  further: () => void;
}

/**
 * What the record says that passes `filter`, up to what is shown of it; read anew when `version` changes, which is null where nobody
 * wants it.
 */
export function useRecord({ seq, time }: Overview, filter: string, version: number | string | null): Record {
  const past = useStore(moment) !== null;
  const [entries, setEntries] = useState<Entries | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  // What is of the record until then: its last entry, and others of the same second that came later.
  const [end, until] = past && time ? [seq, new Date(Date.parse(time) + 1_000).toISOString()] : [Number.POSITIVE_INFINITY, ""];

  const read = useCallback(
    async (before: Entries | null, wanted: () => boolean): Promise<void> => {
      setBusy(true);
      try {
        const rest = queryOf({ limit: PAGE, until, cursor: before?.next ?? "" });
        const page = await getLog(filter === "" ? rest : `${filter}&${rest}`);
        if (!wanted()) return;
        const items = page.items.filter((entry) => entry.seq <= end);
        setEntries({ items: [...(before?.items ?? []), ...items], upTo: before?.upTo ?? page.generation, next: page.next ?? null });
        setProblem(null);
      } catch (error) {
        if (wanted()) setProblem(error instanceof Error ? error.message : String(error));
      } finally {
        if (wanted()) setBusy(false);
      }
    },
    [filter, until, end],
  );
  useEffect(() => {
    let wanted = version !== null;
    if (wanted) void read(null, () => wanted);
    return () => {
      wanted = false;
    };
  }, [read, version]);
  return { entries, problem, busy, further: () => void read(entries, () => true) };
}

/** How kinds of entries are marked; what is not named here just happened. */
const SIGNS: { begins: string; tone: Tone; shape?: Shape }[] = [
  { begins: "asset-returned", tone: "good" },
  { begins: "asset-retired", tone: "wait", shape: "gone" },
  { begins: "asset-verified", tone: "good" },
  { begins: "directive-raised", tone: "ask" },
  { begins: "directive-noted", tone: "ask" },
  { begins: "order-expired", tone: "bad" },
  { begins: "evidence-missed", tone: "bad" },
  { begins: "evidence-waived", tone: "ask" },
  { begins: "evidence-sealed", tone: "good" },
  { begins: "clone-seen", tone: "bad" },
  { begins: "rollout-halted", tone: "bad" },
  { begins: "order-issued", tone: "run" },
  { begins: "wave-began", tone: "run" },
];

function signOf(kind: string): { tone: Tone; shape: Shape } {
  const { tone, shape = tone } = SIGNS.find(({ begins }) => kind.startsWith(begins)) ?? { tone: "wait", shape: "seen" };
  return { tone, shape };
}

/** The entries, each of which opens what it is about. */
export function EntryList({ record, nothing, further }: { record: Record; nothing: string; further: string }) {
  const { entries, problem, busy } = record;
  return (
    <>
      {entries?.items.length === 0 && <p className="sub">{entries.next ? "Nothing among the entries that were looked at so far." : nothing}</p>}
      <ul>
        {entries?.items.map((entry) => (
          <li key={entry.seq} data-testid="recorded-entry" data-kind={entry.kind} title={`entry ${count(entry.seq)}, ${entry.kind}, SHA-256 ${entry.hash}`}>
            <span className="when sub">
              <Time at={entry.time} />
            </span>
            <Sign {...signOf(entry.kind)} />
            <span>
              <Said text={entry.said} />
              {entry.by && <span className="sub"> · {entry.by}</span>}
              <Leads entry={entry} />
            </span>
          </li>
        ))}
      </ul>
      {problem && <Note tone="bad">{problem}</Note>}
      {entries?.next && (
        <button type="button" className="button quiet" disabled={busy} data-testid="recorded-more" onClick={record.further}>
          {further}
        </button>
      )}
    </>
  );
}

function Leads({ entry: { asset, directive } }: { entry: LogEntryView }) {
  return (
    <>
      {directive && (
        <button type="button" className="link lead" data-testid="entry-directive" onClick={() => open(directive)}>
          {directive}
        </button>
      )}
      {asset && (
        <button type="button" className="link lead" data-testid="entry-asset" onClick={() => open(asset)}>
          host
        </button>
      )}
    </>
  );
}

/** What entries are about, by how their kinds begin. */
const KINDS: [string, string][] = [
  ["", "Everything"],
  ["directive-", "Directives"],
  ["approv", "Approvals"],
  ["order-", "Orders"],
  ["rehearsal-", "Rehearsals"],
  ["apply-", "Changes on hosts"],
  ["rollout-", "Rollouts"],
  ["wave-", "Waves"],
  ["asset-", "Hosts that came and went"],
  ["inventory-", "Reports of hosts"],
  ["advisories-", "Advisories"],
  ["intel-", "Threats"],
  ["context-", "Context"],
  ["policy-", "Policy"],
];

/** What somebody names, as a part of the query; null where it is no name of anything. */
function named(text: string): Partial<{ directive: string; asset: string; vulnerability: string }> | null {
  if (text === "") return {};
  if (/^dir_\d+$/i.test(text)) return { directive: text.toLowerCase() };
  if (/^ast_[0-9a-f]{32}$/i.test(text)) return { asset: text.toLowerCase() };
  if (VULNERABILITY.test(text)) return { vulnerability: text };
  return null;
}

/** The whole record, as far back as one looks. */
export function Recorded({ overview }: { overview: Overview }) {
  const [kind, setKind] = useSaid("record.kind");
  const [text, setText] = useSaid("record.about");
  const [version, setVersion] = useState(0);
  const past = useStore(moment) !== null;
  const about = named(text);
  const record = useRecord(overview, queryOf({ kind, ...about }), about === null ? null : version);
  // What comes while one reads does not push away what one reads.
  const newer = past || record.entries === null ? 0 : overview.seq - record.entries.upTo;
  return (
    <Section
      id="record"
      title="Record"
      busy={record.entries === null && record.problem === null}
      aside={
        newer > 0 ? (
          <button type="button" className="button quiet" data-testid="record-newer" onClick={() => setVersion(version + 1)}>
            {plural(newer, "newer entry", "newer entries")}
          </button>
        ) : (
          <p className="hint">newest first</p>
        )
      }
    >
      <div className="tools">
        <Choose label="Kind of entry" testid="record-kind" value={kind} of={KINDS} onChoose={setKind} />
        <Find label="dir_7, CVE-2026-1234 or ast_…" testid="record-find" value={text} onFind={setText} />
      </div>
      <div className="recorded">
        {about === null ? (
          <p className="sub">Name a directive (dir_7), a vulnerability (CVE-2026-1234) or a host by its id (ast_ and 32 digits).</p>
        ) : (
          <EntryList record={record} nothing="Nothing of that is in the record." further="Look further back" />
        )}
      </div>
    </Section>
  );
}
