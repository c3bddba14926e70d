import { getDirectives } from "./api";
import type { DirectiveLine, Overview } from "./api.gen";
import { count, Note, Section, Time } from "./bits";
import { Choose, Find, queryOf } from "./find";
import { useListed } from "./listed";
import { open, place } from "./place";
import { Title } from "./queue";
import { Rows } from "./rows";
import { useSaid } from "./said";
import { useStore } from "./store";

/** How it ended, and when: the API says both in one text. */
export function ending(closed: string): { how: string; at: string | null } {
  const [, how = closed, at = null] = /^([\s\S]*) at (\d{4}-\S+)$/.exec(closed) ?? [];
  return { how, at };
}

const ENDINGS: [string, string][] = [
  ["", "however it ended"],
  ["fixed", "fixed"],
  ["superseded", "superseded"],
  ["withdrawn", "withdrawn"],
  ["refused", "refused"],
];

/** Directives that ended. */
export function Closed({ overview: { closed, groups }, version }: { overview: Overview; version: number }) {
  const here = useStore(place);
  const [text, setText] = useSaid("closed.q");
  const [group, setGroup] = useSaid("closed.group");
  const [ended, setEnded] = useSaid("closed.ended");
  const query = queryOf({ state: "closed", q: text, group, ended });
  const listed = useListed(getDirectives, query, version);
  const total = listed.page?.total ?? 0;
  const filtered = text !== "" || group !== "" || ended !== "";
  return (
    <Section
      id="closed"
      title="Closed"
      busy={listed.page === null && !listed.problem}
      aside={total > 0 && <p className="hint" data-testid="closed-total">{filtered && `${count(total)} found, `}newest first</p>}
    >
      {(closed > 0 || filtered) && (
        <div className="tools">
          <Find label="Package, CVE, group, reason" testid="find-closed" value={text} onFind={setText} />
          <Choose label="How it ended" testid="ended" value={ended} of={ENDINGS} onChoose={setEnded} />
          {(groups.length > 1 || group !== "") && (
            <Choose label="Group" testid="group-closed" value={group} of={[["", "all groups"], ...groups.map(({ name }): [string, string] => [name, `group ${name}`])]} onChoose={setGroup} />
          )}
        </div>
      )}
      {listed.page !== null && total === 0 && <p className="empty" data-testid="none-closed">{filtered ? "Nothing that ended is like that." : "No directive has ended yet."}</p>}
      {total > 0 && (
        <Rows
          listed={listed}
          total={total}
          of={query}
          className="rows ruled"
          row={(directive, at) => <Row key={directive.id} directive={directive} at={at} selected={here?.id === directive.id} />}
        />
      )}
      {listed.problem && <Note tone="bad">{listed.problem}</Note>}
    </Section>
  );
}

function Row({ directive, at, selected }: { directive: DirectiveLine; at: number; selected: boolean }) {
  const { how, at: when } = ending(directive.closed ?? "closed");
  return (
    <li data-place={at}>
      <button
        type="button"
        className="row closed-grid"
        data-testid="closed-row"
        data-id={directive.id}
        aria-current={selected || undefined}
        onClick={() => open(directive.id)}
      >
        <span className="cell what">
          <Title directive={directive} />
        </span>
        <span className="cell how">
          {how}
          {how.startsWith("refused") && <span className="sub">its findings stay open</span>}
        </span>
        <span className="cell when">{when && <Time at={when} />}</span>
      </button>
    </li>
  );
}
