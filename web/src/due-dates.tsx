import { getRegulations, getRules } from "./api";
import type { RegulationView, RulesBody } from "./api.gen";
import { Note, plural, Section, Time } from "./bits";
import type { Moment } from "./moment";
import { useLoaded } from "./use";

/** What the published rules are called. */
const NAMES: Record<string, string> = {
  "bod-26-04": "CISA BOD 26-04",
  "bod-22-01": "CISA BOD 22-01",
  "bod-19-02": "CISA BOD 19-02",
  "fedramp-rev5": "FedRAMP Rev. 5",
  "fedramp-vdr": "FedRAMP VDR",
  "pci-dss-4.0": "PCI DSS 4.0",
  "pci-dss-4.0.1": "PCI DSS 4.0.1",
  "ssvc-deployer": "SSVC, deployer",
  "cisa-coordinator": "CISA SSVC",
};
const STARTS: Record<string, string> = { raised: "the directive is raised", listed: "CISA lists the vulnerability", released: "the fix is released" };

const called = (rule: string): string => NAMES[rule] ?? rule;

/** Which rules set due dates: the table that decides, the clocks that count, and regulations that were adopted as a file. */
export function DueDates({ version }: { version: number }) {
  const rules = useLoaded(loadRules, "", version);
  const adopted = useLoaded(loadRegulations, "", version);
  const missing = [rules, adopted].find((one) => one.is === "missing");
  return (
    <Section id="due-dates" title="Due dates" aside={<p className="hint">of all clocks that count, the earliest</p>} busy={rules.is === "loading" || adopted.is === "loading"}>
      {missing?.is === "missing" && <Note tone="bad">{missing.why}</Note>}
      {rules.is === "here" && <Published rules={rules.value} />}
      {adopted.is === "here" && <Adopted regulations={adopted.value} />}
    </Section>
  );
}

const loadRules = (_: string, then: Moment): Promise<RulesBody> => getRules(then);
const loadRegulations = (_: string, then: Moment): Promise<RegulationView[]> => getRegulations(then);

function Published({ rules: { table, clocks, vdr } }: { rules: RulesBody }) {
  return (
    <ul className="findings" data-testid="rules-now">
      <li className="finding">
        <p>
          <b>{called(table)}</b> decides what a directive is
        </p>
      </li>
      <li className="finding">
        <p>{clocks.length > 0 ? <>Clocks: {clocks.map(called).join(", ")}</> : "No published clock counts besides it"}</p>
        {vdr && <p className="sub">FedRAMP VDR counts with the class and the impact that were set: tenon rules</p>}
      </li>
    </ul>
  );
}

function Adopted({ regulations }: { regulations: RegulationView[] }) {
  if (regulations.length === 0) {
    return (
      <p className="hint below">
        A new regulation is one reviewed file: <code>tenon regulation check FILE</code>
      </p>
    );
  }
  return (
    <ul className="findings" aria-label={plural(regulations.length, "regulation")}>
      {regulations.map((one) => (
        <li key={`${one.id} ${one.version}`} className="finding" data-testid="regulation">
          <p>
            <b>{one.title}</b> <code>{one.id}</code> {one.version}: for what is raised from <Time at={one.effective} /> on
          </p>
          <p className="sub">
            asks {one.columns.join(", ")} in {plural(one.rows, "row")}; its clock runs from when {STARTS[one.from] ?? one.from}
            {one.replaces.length > 0 && `; ${one.replaces.map(called).join(", ")} no longer counts besides it`}
          </p>
          <details>
            <summary>The file</summary>
            <p className="sub">{one.source}</p>
            <div className="output">
              <pre tabIndex={0}>{one.text}</pre>
            </div>
          </details>
        </li>
      ))}
    </ul>
  );
}
