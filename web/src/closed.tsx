import { getDirectives } from "./api";
import type { DirectiveLine } from "./api.gen";
import { Note, Section, Time } from "./bits";
import { useListed } from "./listed";
import { open, place } from "./place";
import { Title } from "./queue";
import { Rows } from "./rows";
import { useStore } from "./store";

/** How it ended, and when: the API says both in one text. */
export function ending(closed: string): { how: string; at: string | null } {
  const [, how = closed, at = null] = /^([\s\S]*) at (\d{4}-\S+)$/.exec(closed) ?? [];
  return { how, at };
}

/** Directives that ended. */
export function Closed({ version }: { version: number }) {
  const here = useStore(place);
  const listed = useListed(getDirectives, "state=closed", version);
  const total = listed.page?.total ?? 0;
  return (
    <Section id="closed" title="Closed" busy={listed.page === null && !listed.problem} aside={total > 0 && <p className="hint">newest first</p>}>
      {listed.page !== null && total === 0 && <p className="empty">No directive has ended yet.</p>}
      {total > 0 && (
        <Rows
          listed={listed}
          total={total}
          of="closed"
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
