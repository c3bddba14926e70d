import type { DirectiveView } from "./api.gen";
import { Note, Section, Time } from "./bits";

/** Why it matters here: every input with its source, the table that decided, and what it assumed. */
export function Why({ directive: { because, decision } }: { directive: DirectiveView }) {
  return (
    <Section id="why" title="Why it matters here">
      <ul className="because">
        {because.map((basis, index) => (
          // Facts may repeat, and the list has no other identity than its order.
          <li key={index} data-testid="because">
            <span>{basis.fact}</span>
            <span className="sub">
              {basis.source}
              {basis.as_of && (
                <>
                  , as of <Time at={basis.as_of} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
      <p className="decided" data-testid="decision">
        Table <b>{decision.table}</b>, row <b className="number">{decision.row}</b> decides: <b>{decision.outcome}</b>
      </p>
      {decision.forensics && (
        <Note tone="ask">This row asks for evidence to be preserved before anything changes.</Note>
      )}
      {decision.assumed.length > 0 && (
        <div className="assumed">
          <p>Not known, and assumed:</p>
          <ul>
            {decision.assumed.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </div>
      )}
    </Section>
  );
}
