import type { DirectiveView } from "./api.gen";
import { count, Section, Time } from "./bits";
import { open, place } from "./place";
import { Title } from "./queue";
import { useStore } from "./store";

/** How it ended, and when: the API says both in one text. */
export function ending(closed: string): { how: string; at: string | null } {
  const [, how = closed, at = null] = /^([\s\S]*) at (\d{4}-\S+)$/.exec(closed) ?? [];
  return { how, at };
}

/** Directives that ended. */
export function Closed({ closed, total }: { closed: DirectiveView[]; total: number }) {
  const here = useStore(place);
  const rest = total - closed.length;
  return (
    <Section id="closed" title="Closed" aside={closed.length > 0 && <p className="hint">newest first</p>}>
      {closed.length === 0 ? (
        <p className="empty">No directive has ended yet.</p>
      ) : (
        <ul className="rows ruled">
          {closed.map((directive) => {
            const { how, at } = ending(directive.closed ?? "closed");
            const refused = how.startsWith("refused");
            return (
              <li key={directive.id}>
                <button
                  type="button"
                  className="row closed-grid"
                  data-testid="closed-row"
                  data-id={directive.id}
                  aria-current={here?.id === directive.id || undefined}
                  onClick={() => open(directive.id)}
                >
                  <span className="cell what">
                    <Title directive={directive} />
                  </span>
                  <span className="cell how">
                    {how}
                    {refused && <span className="sub">its findings stay open</span>}
                  </span>
                  <span className="cell when">{at && <Time at={at} />}</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {rest > 0 && <p className="hint below">{count(rest)} older ones are in the record: <code>tenon log export</code></p>}
    </Section>
  );
}
