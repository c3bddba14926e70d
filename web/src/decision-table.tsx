import { useState } from "react";

import type { DecisionView, TableRowView, TableView } from "./api.gen";
import { Unseen } from "./bits";
import { Source } from "./source";

/** A column without the version of its decision point. */
export const column = (name: string) => name.split(/ v\d/)[0] ?? name;

/** The row that decided, lit among those that one other input would have led to; and why each input has its value. */
export function DecisionTable({ decision, table }: { decision: DecisionView; table: TableView | null }) {
  const [whole, setWhole] = useState(false);
  const { inputs } = decision;
  if (inputs.length === 0) return <Assumed decision={decision} />;
  // What another version decided is shown by what was put in.
  const columns = table?.columns ?? inputs.map((input) => input.column);
  const values = columns.map((name) => inputs.find((input) => input.column === name)?.value ?? "");
  const own: TableRowView = { row: decision.row, outcome: decision.outcome, values };
  const others = (table?.rows ?? []).filter((row) => row.row !== decision.row && (whole || differs(row, own).length === 1));
  const rows = whole ? [...others, own].sort((a, b) => a.row - b.row) : [own, ...others.sort((a, b) => (differs(a, own)[0] ?? 0) - (differs(b, own)[0] ?? 0))];
  const assumed = (name: string) => inputs.some((input) => input.column === name && input.assumed);
  return (
    <>
      <div className="decision-table">
        <table className="table" data-testid="decision-table">
          <caption className="unseen">
            {decision.table}: the row that decides{!whole && others.length > 0 && ", and those that differ from it in one input"}
          </caption>
          <thead>
            <tr>
              <th scope="col">Row</th>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {column(name)}
                  {assumed(name) && <span className="sub"> assumed</span>}
                </th>
              ))}
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.row} row={row} own={own} lit={row.row === decision.row} assumed={columns.map(assumed)} />
            ))}
          </tbody>
        </table>
      </div>
      {table && (
        <p className="sub table-foot">
          {!whole && others.length > 0 && "Below the row that decides: what one other input would lead to. "}
          {table.rows.length > others.length + 1 || whole ? (
            <button type="button" className="link" data-testid="whole-table" aria-expanded={whole} onClick={() => setWhole(!whole)}>
              {whole ? "Only the nearest rows" : `All ${table.rows.length} rows`}
            </button>
          ) : null}{" "}
          <span title={table.source}>{table.title}</span>
        </p>
      )}
      <dl className="inputs" data-testid="inputs">
        {inputs.map((input) => (
          <div key={input.column} className={input.assumed ? "is-assumed" : undefined}>
            <dt>{column(input.column)}</dt>
            <dd>
              <b>{input.value}</b>
              <span className="sub">{input.assumed ? `assumed: ${input.fact}` : <Said fact={input.fact} source={input.source} as_of={input.as_of ?? null} />}</span>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

const Said = ({ fact, source, as_of }: { fact: string; source: string; as_of: string | null }) => (
  <>
    {fact} <span className="faint">(<Source basis={{ source, as_of }} />)</span>
  </>
);

/** In which columns a row is another than the one that decided. */
const differs = (row: TableRowView, own: TableRowView): number[] => own.values.flatMap((value, at) => (row.values[at] === value ? [] : [at]));

function Row({ row, own, lit, assumed }: { row: TableRowView; own: TableRowView; lit: boolean; assumed: boolean[] }) {
  return (
    <tr aria-current={lit || undefined} data-testid={lit ? "decided-row" : "other-row"}>
      <th scope="row" className="number">
        {lit && <span aria-hidden="true">▸ </span>}
        {row.row}
        {lit && <Unseen> decides</Unseen>}
      </th>
      {row.values.map((value, at) => {
        const other = !lit && value !== own.values[at];
        return (
          <td key={at} data-other={other || undefined} className={lit && assumed[at] ? "is-assumed" : undefined}>
            {value}
            {other && <Unseen> instead of {own.values[at]}</Unseen>}
            {lit && assumed[at] && <Unseen>, assumed</Unseen>}
          </td>
        );
      })}
      <td>{lit ? <b>{row.outcome}</b> : row.outcome}</td>
    </tr>
  );
}

/** Decisions of older versions only say what they assumed. */
function Assumed({ decision: { assumed } }: { decision: DecisionView }) {
  if (assumed.length === 0) return null;
  return (
    <div className="assumed">
      <p>Not known, and assumed:</p>
      <ul>
        {assumed.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}
