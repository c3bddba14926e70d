import { type FormEvent, useEffect, useState } from "react";

import { askReplay, getBacktest } from "./api";
import type { BacktestBody, BacktestPolicyView, BacktestResultView, BacktestView, HistoryView, ReplayView } from "./api.gen";
import { BacktestResult } from "./backtest-result";
import { count, Note, Section } from "./bits";
import { Choose } from "./find";
import { draft } from "./draft";
import { moment } from "./moment";
import { useStore } from "./store";
import { useLoaded } from "./use";

/** How long until it is asked again how far a replay is, in milliseconds. */
const AGAIN_MS = 400;
const IN_FORCE = "in-force";
const DRAFT = "draft";

const FLAGGING: [string, string][] = [
  ["automatic", "what goes out by itself"],
  ["emergency", "what is an emergency to it"],
  ["allowed", "whatever it does not forbid"],
];

/** Policies over years of public history: what each would have asked for, and what was exploited then. */
export function Backtest({ version }: { version: number }) {
  const past = useStore(moment) !== null;
  // The policy in force is that of now.
  return past ? null : <Offered version={version} />;
}

function Offered({ version }: { version: number }) {
  const loaded = useLoaded(getBacktest, "", version);
  const told = loaded.is === "here" ? loaded.value : null;
  const history = told?.history;
  return (
    <Section
      id="backtest"
      title="Backtest"
      busy={loaded.is === "loading"}
      aside={history && (
        <p className="hint">
          {count(history.days)} days of history, {history.first} to {history.last}
        </p>
      )}
    >
      {loaded.is === "missing" && <Note tone="bad">{loaded.why}</Note>}
      {told?.problem && <Note tone="bad" testid="backtest-problem">The history cannot be used: {told.problem}</Note>}
      {told && !history && !told.problem && <NoHistory />}
      {told && history && <Compare told={told} history={history} />}
    </Section>
  );
}

function NoHistory() {
  return (
    <p className="empty" data-testid="no-history">
      Which policy finds most of what is exploited, for the least work? Here policies, your own among them, are replayed over years of public history: what each would have
      asked to be fixed, and what CISA listed as exploited then. This server was given no history. Start it with a mirror that has one: <code>tenon up --history FOLDER</code>
    </p>
  );
}

/** What is asked, and how it stands with it. */
interface Asked {
  body: BacktestBody;
  standing: ReplayView | null;
  why: string | null;
}

/** Asks until it is done, or another is asked for. */
function useReplay(): [Asked | null, (body: BacktestBody) => void] {
  const [asked, setAsked] = useState<Asked | null>(null);
  const body = asked?.body;
  useEffect(() => {
    if (!body) return;
    let wanted = true;
    let again: ReturnType<typeof setTimeout> | undefined;
    const next = () => {
      askReplay(body).then(
        (standing) => {
          if (!wanted) return;
          setAsked({ body, standing, why: null });
          if (standing.state !== "done") again = setTimeout(next, AGAIN_MS);
        },
        (error: unknown) => wanted && setAsked({ body, standing: null, why: error instanceof Error ? error.message : String(error) }),
      );
    };
    next();
    return () => {
      wanted = false;
      clearTimeout(again);
    };
  }, [body]);
  return [asked, (body) => setAsked({ body, standing: null, why: null })];
}

const month = (day: string): string => day.slice(0, 7);

/** The first day on which all that is compared can flag: before its first model a forecast flags nothing. */
const usualFrom = ({ first, model_from }: HistoryView): string => month(model_from && model_from > first ? model_from : first);

function Compare({ told, history }: { told: BacktestView; history: HistoryView }) {
  const text = useStore(draft);
  const usable = told.policies.filter(({ records }) => history.records || !records);
  const [unusual, setUnusual] = useState<Record<string, boolean>>({});
  const [from, setFrom] = useState(usualFrom(history));
  const [to, setTo] = useState(month(history.last));
  const [flagging, setFlagging] = useState("automatic");
  const [asked, replay] = useReplay();
  const offered: BacktestPolicyView[] = text === null ? told.policies : [{ policy: DRAFT, flags: "The file under edit, as it was when you came here.", usual: true, records: false }, ...told.policies];
  const isUsable = (one: BacktestPolicyView) => one.policy === DRAFT || usable.includes(one);
  const isChosen = (one: BacktestPolicyView) => isUsable(one) && (unusual[one.policy] ?? one.usual);
  const chosen = offered.filter(isChosen);
  const files = chosen.some(({ policy }) => policy === IN_FORCE || policy === DRAFT);
  const running = asked !== null && asked.why === null && asked.standing?.state !== "done";
  const fits = chosen.length > 0 && chosen.length <= told.most;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!fits || running) return;
    const policies = chosen.map(({ policy }) => policy);
    replay({ policies, from, to, ...(files && { flagging }), ...(policies.includes(DRAFT) && { draft: text }) });
  };
  return (
    <>
      <p className="backtest-lead">
        What would each policy have asked to be fixed, and how much of what was exploited then would it have had? Nothing of your hosts goes into it, and nothing changes.
      </p>
      <form className="backtest-form" onSubmit={submit} data-testid="backtest-form">
        <fieldset className="backtest-policies">
          <legend>Compare</legend>
          {offered.map((one) => (
            <label key={one.policy} title={one.flags} data-off={!isUsable(one) || undefined}>
              <input type="checkbox" data-testid={`backtest-${one.policy}`} checked={isChosen(one)} disabled={!isUsable(one)} onChange={(event) => setUnusual({ ...unusual, [one.policy]: event.target.checked })} />
              <span>
                <b>{NAMES[one.policy] ?? one.policy}</b> <span className="sub">{isUsable(one) ? one.flags : "Reads records of CVEs, which this history does not have."}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <div className="tools backtest-span">
          <label>
            from <Month label="First month" testid="backtest-from" value={from} history={history} onChange={setFrom} />
          </label>
          <label>
            to <Month label="Last month" testid="backtest-to" value={to} history={history} onChange={setTo} />
          </label>
          {files && (
            <label>
              of a file counts <Choose label="What of a policy file flags" testid="backtest-flagging" value={flagging} of={FLAGGING} onChoose={setFlagging} />
            </label>
          )}
          <button type="submit" className="button primary" disabled={!fits || running} data-testid="backtest-go">
            {running ? "Replaying…" : "Replay"}
          </button>
          {!fits && <span className="sub">Choose 1 to {told.most} policies.</span>}
        </div>
      </form>
      <div aria-live="polite">
        {asked?.why && <Note tone="bad" testid="backtest-why">{asked.why}</Note>}
        {running && <Underway standing={asked.standing} />}
      </div>
      {asked?.standing?.result && <Done result={asked.standing.result} />}
    </>
  );
}

const NAMES: Record<string, string> = { [IN_FORCE]: "the policy in force", [DRAFT]: "the draft" };

function Month({ label, testid, value, history, onChange }: { label: string; testid: string; value: string; history: HistoryView; onChange: (value: string) => void }) {
  return <input type="month" className="choose" aria-label={label} data-testid={testid} required pattern="\d{4}-\d{2}" placeholder="YYYY-MM" min={month(history.first)} max={month(history.last)} value={value} onChange={(event) => onChange(event.target.value)} />;
}

const STATES: Record<ReplayView["state"], string> = { waiting: "Another replay runs first", reading: "Reading the history", replaying: "Replaying", done: "Done" };
const UNITS: Partial<Record<ReplayView["state"], string>> = { reading: "files", replaying: "days" };

/** How far it is. */
function Underway({ standing }: { standing: ReplayView | null }) {
  const { state, number, of } = standing ?? { state: "reading", number: 0, of: 0 };
  const unit = UNITS[state];
  return (
    <p className="backtest-progress" data-testid="backtest-progress">
      <progress max={Math.max(1, of)} value={of > 0 ? number : undefined} aria-label={STATES[state]} />
      <span>
        {STATES[state]}
        {unit && of > 0 && `: ${count(number)} of ${count(of)} ${unit}`}
      </span>
    </p>
  );
}

function Done({ result }: { result: BacktestResultView }) {
  return <BacktestResult key={result.digest + result.from + result.to} result={result} />;
}
