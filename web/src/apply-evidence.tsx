import { Mark, Note } from "./bits";
import { Output } from "./output";
import type { ApplyReport, HookRun } from "./reports";
import type { Tone } from "./stages";
import { duration } from "./time";

const OUTCOMES: Record<string, { word: string; tone: Tone }> = {
  verified: { word: "verified on the host", tone: "good" },
  "rolled-back": { word: "rolled back", tone: "back" },
  failed: { word: "failed", tone: "bad" },
  refused: { word: "refused by the host, nothing was changed", tone: "bad" },
};

/** What was seen on the host after the change. */
export function ApplyEvidence({ report }: { report: ApplyReport }) {
  const outcome = OUTCOMES[report.outcome ?? ""] ?? { word: report.outcome ?? "outcome not told", tone: "ask" as const };
  const { evidence = {} } = report;
  const exit = evidence.package_manager_exit;
  const stale = evidence.stale ?? [];
  return (
    <div data-testid="apply-report">
      <p>
        Apply{" "}
        <Mark {...outcome} testid="apply-outcome" />
        {report.duration_ms !== undefined && ` in ${duration(report.duration_ms)}`}
      </p>
      {report.reason && <p className="reason">{report.reason}</p>}
      {report.detail && (
        <p className="reason">
          {report.code && <code>{report.code}</code>} {report.detail}
        </p>
      )}
      {report.remedy && <Note tone="ask">Remedy: {report.remedy}</Note>}
      {stale.length > 0 && (
        <Note tone="ask">
          Still running replaced files:{" "}
          {stale.map((one) => `${one.command ?? "?"} (${one.unit ?? `pid ${one.pid ?? "?"}`}, ${one.file ?? "file not told"})`).join("; ")}
        </Note>
      )}
      {evidence.reboot_pending && <Note tone="ask">The packages ask for a reboot, which was not ordered.</Note>}
      <dl className="facts">
        <dt>Package manager</dt>
        <dd>{exit === null || exit === undefined ? "never ran" : `exit status ${exit}`}</dd>
        <dt>Restarted</dt>
        <dd>{evidence.restarted?.join(", ") || "nothing"}</dd>
        <dt>Stale processes</dt>
        <dd>{stale.length === 0 ? "none seen" : stale.length}</dd>
      </dl>
      <Pairs heads={["Package", "Version seen"]} rows={evidence.versions ?? []} />
      <Pairs
        heads={["Unit", "Before", "After"]}
        rows={(evidence.units ?? []).map(({ unit, before, after }) => [unit, before, after])}
        marked={(row) => row[1] !== row[2]}
      />
      <Hooks runs={evidence.hooks ?? []} />
      <Output text={report.output} />
    </div>
  );
}

/** What the programs of the host's own did around the change. */
function Hooks({ runs }: { runs: HookRun[] }) {
  const lines = runs.map((run) => `${run.hook ?? "?"} ${run.moment ?? "?"}`);
  return (
    <>
      <Pairs
        heads={["Hook of the host", "Ended", "Took"]}
        rows={runs.map((run, index) => [lines[index], ending(run), run.duration_ms === undefined ? "not told" : duration(run.duration_ms)])}
        marked={(row) => row[1] !== WELL}
        mark="failed"
      />
      {runs.map((run, index) => run.output && <Output key={index} text={run.output} name={`Output of ${lines[index] ?? "a hook"}`} />)}
    </>
  );
}

const WELL = "well";

function ending({ ended, code, after_s, reason }: HookRun): string {
  switch (ended) {
    case "exited":
      return code === 0 ? WELL : `exit status ${code ?? "not told"}`;
    case "timed-out":
      return `killed after ${after_s ?? "?"} s`;
    case "not-started":
      return `not started: ${reason ?? "reason not told"}`;
    case "left-out":
      return `not run: ${reason ?? "reason not told"}`;
    case "cut-off":
      return "cut off with the agent";
    default:
      return ended ?? "not told";
  }
}

interface Pairing {
  heads: string[];
  rows: (string | undefined)[][];
  /** Rows that call for attention. */
  marked?: (row: (string | undefined)[]) => boolean;
  /** What is said of them. */
  mark?: string;
}

function Pairs({ heads, rows, marked = () => false, mark = "changed" }: Pairing) {
  if (rows.length === 0) return null;
  return (
    <table className="table">
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, column) => (
              <td key={column} className={column > 0 ? "version" : undefined}>
                {cell}
                {column === row.length - 1 && marked(row) && <span className="tag" data-mode="changed">{mark}</span>}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
