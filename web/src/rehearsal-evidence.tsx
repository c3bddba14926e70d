import { count, Mark, Note, plural } from "./bits";
import { Output } from "./output";
import type { RehearsalReport, Step } from "./reports";
import type { Tone } from "./stages";
import { duration } from "./time";

const OUTCOMES: Record<string, { word: string; tone: Tone }> = {
  passed: { word: "passed", tone: "good" },
  failed: { word: "failed", tone: "bad" },
  "not-rehearsed": { word: "not rehearsed", tone: "ask" },
};

/** What the rehearsal on a throw-away copy showed. */
export function RehearsalEvidence({ report, asked }: { report: RehearsalReport; asked: string[] }) {
  const outcome = OUTCOMES[report.outcome ?? ""] ?? { word: report.outcome ?? "outcome not told", tone: "ask" as const };
  const steps = report.transaction?.steps ?? [];
  const kept = report.transaction?.kept_back ?? [];
  const conflicts = report.conffile_conflicts ?? [];
  return (
    <div data-testid="rehearsal-report">
      <p>
        Rehearsal{" "}
        <Mark {...outcome} testid="rehearsal-outcome" />
        {report.duration_ms !== undefined && ` in ${duration(report.duration_ms)}`}
        {report.bytes_written !== undefined && `, ${bytes(report.bytes_written)} written on the copy`}
      </p>
      {report.reason && <p className="reason">{report.reason}</p>}
      {conflicts.length > 0 && (
        <Note tone="ask">
          Changed by a person and by the new packages: {conflicts.join(", ")}
        </Note>
      )}
      {report.reboot && <Note tone="ask">The new packages ask for a reboot.</Note>}
      <h4>Transaction, {plural(steps.length, "step")}</h4>
      <Steps steps={steps} asked={asked} />
      {kept.length > 0 && <p className="sub">kept back: {kept.join(", ")}</p>}
      <Output text={report.output} />
    </div>
  );
}

function Steps({ steps, asked }: { steps: Step[]; asked: string[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Change</th>
          <th scope="col">Package</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
        </tr>
      </thead>
      <tbody>
        {steps.map((step, index) => {
          const more = !asked.includes(`${step.package}:${step.architecture}`);
          return (
            <tr key={index} data-testid="step">
              <td>
                {step.change}
                {/* The package manager does more than what was asked for: the approver must see where. */}
                {more && <span className="tag" title="Not asked for: the package manager adds it">added</span>}
              </td>
              <td>
                {step.package} <span className="faint">{step.architecture}</span>
              </td>
              <td className="version">{step.from}</td>
              <td className="version">{step.to}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function bytes(value: number): string {
  if (value < 1_000_000) return `${count(Math.round(value / 1_000))} kB`;
  return `${count(Math.round(value / 1_000_000))} MB`;
}
