import { type ReactNode, useEffect, useId, useRef, useState } from "react";

import { checkPolicy, getPresets, previewPolicy } from "./api";
import type { PolicyCheckView, PolicyPresetView, PolicyPreviewView, PolicyView } from "./api.gen";
import { Note, plural } from "./bits";
import { draft } from "./draft";
import { live } from "./live";
import { PolicyEffects } from "./policy-effects";
import { type Settings, told, USUAL, written } from "./policy-settings";
import { goToSection } from "./sections";
import { useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** How long nobody types before what is written is tried, in milliseconds. */
const PAUSE_MS = 400;
/** Lines of the file that are seen at once. */
const LINES = 24;

type Tried = { text: string; check: PolicyCheckView; preview: PolicyPreviewView | null; why: string | null };

/** What is wrong with a text and what it would change, as it is typed; what was found of another text is told as that. */
function useTried(text: string, version: number): Tried | null {
  const [tried, setTried] = useState<Tried | null>(null);
  useEffect(() => {
    let wanted = true;
    const pause = setTimeout(() => {
      const nothing: PolicyCheckView = { problems: [], total: 0 };
      const found = async (): Promise<Tried> => {
        const check = await checkPolicy(text);
        const preview = check.total === 0 ? await previewPolicy(text) : null;
        return { text, check, preview, why: null };
      };
      found()
        .catch((error: unknown) => ({ text, check: nothing, preview: null, why: error instanceof Error ? error.message : String(error) }))
        .then((found) => wanted && setTried(found));
    }, PAUSE_MS);
    return () => {
      wanted = false;
      clearTimeout(pause);
    };
  }, [text, version]);
  return tried;
}

export function PolicyEditor({ policy, version, onClose }: { policy: PolicyView; version: number; onClose: () => void }) {
  const [settings, setSettings] = useState<Settings>(USUAL);
  const [text, setText] = useState(policy.text ?? written(USUAL));
  const [presets, setPresets] = useState<PolicyPresetView[]>([]);
  const tried = useTried(text, version);
  const file = useRef<HTMLTextAreaElement>(null);
  const byHand = text !== written(settings);
  useEffect(() => {
    getPresets().then(setPresets, () => setPresets([]));
  }, []);
  const change = (more: Partial<Settings>) => {
    const now = { ...settings, ...more };
    setSettings(now);
    setText(written(now));
  };
  const goTo = (place: string) => {
    const [, line = "1", column = "1"] = /line (\d+)(?:, column (\d+))?/.exec(place) ?? [];
    const before = text.split("\n").slice(0, Number(line) - 1);
    const at = before.reduce((sum, one) => sum + one.length + 1, 0) + Number(column) - 1;
    file.current?.focus();
    file.current?.setSelectionRange(at, at);
  };
  return (
    <div className="policy-editor" data-testid="policy-editor">
      <div className="policy-write">
        <h3>A few settings</h3>
        <Plain settings={settings} change={change} />
        <p className="sub" aria-live="polite">
          {byHand ? "The file below says something else than these settings. Changing one of them writes it anew." : told(settings)}
        </p>
        <h3>
          <label htmlFor="policy-file">The file</label>
        </h3>
        <p className="from sub">
          Begin with{" "}
          {policy.text !== null && (
            <button type="button" className="link" onClick={() => setText(policy.text ?? "")}>
              what counts
            </button>
          )}
          {presets.map(({ name, about, text }) => (
            <button key={name} type="button" className="link" title={about} data-testid={`preset-${name}`} onClick={() => setText(text)}>
              {name}
            </button>
          ))}
        </p>
        <textarea
          id="policy-file"
          ref={file}
          className="file"
          data-testid="policy-file"
          value={text}
          rows={LINES}
          spellCheck={false}
          autoComplete="off"
          wrap="off"
          aria-describedby="policy-problems"
          aria-invalid={tried !== null && tried.check.total > 0}
          onChange={(event) => setText(event.target.value)}
        />
        <Problems tried={tried} text={text} goTo={goTo} />
      </div>
      <div className="policy-means">
        <h3>What would change</h3>
        {tried?.preview && <PolicyEffects preview={tried.preview} stale={tried.text !== text} />}
        {tried?.why && <Note tone="bad">{tried.why}</Note>}
        {tried && tried.check.total > 0 && <p className="empty">Nothing can be said before the file is right.</p>}
        {!tried && <p className="empty" aria-busy="true">Trying it against what is open…</p>}
        {tried?.text === text && tried.check.total === 0 && (
          <button
            type="button"
            className="link"
            data-testid="policy-backtest"
            onClick={() => {
              draft.set(text);
              goToSection("backtest");
            }}
          >
            What it would have asked for over years of history
          </button>
        )}
        <SetIt policy={policy} text={text} preview={tried?.text === text ? tried.preview : null} onClose={onClose} />
      </div>
    </div>
  );
}

function Problems({ tried, text, goTo }: { tried: Tried | null; text: string; goTo: (place: string) => void }) {
  const { problems, total } = tried?.check ?? { problems: [], total: 0 };
  return (
    <div id="policy-problems" aria-live="polite" data-testid="policy-problems">
      {tried?.text === text && total === 0 && tried.why === null && <Note tone="good">The file can be set.</Note>}
      {total > 0 && (
        <>
          <Note tone="bad">{plural(total, "thing is", "things are")} wrong.</Note>
          <ul>
            {problems.map(({ place, reason }, at) => (
              <li key={at}>
                <button type="button" className="link" data-testid="policy-problem" onClick={() => goTo(place)}>
                  {place}
                </button>
                : {reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function SetIt({ policy, text, preview, onClose }: { policy: PolicyView; text: string; preview: PolicyPreviewView | null; onClose: () => void }) {
  const allowed = useMay("administer");
  const { link } = useStore(live);
  const sender = useSend();
  const [asking, setAsking] = useState(false);
  const off = sender.busy || link === "offline" || preview === null || preview.same;
  // Whatever was asked is about another text now.
  useEffect(() => setAsking(false), [text]);
  return (
    <div className="ask" data-testid="policy-set">
      {!allowed && <p className="sub">Only an admin can set a policy: copy the file for one.</p>}
      {asking && preview && (
        <p>
          It counts at once as version {policy.version + 1}
          {preview.approved_at_once > 0 ? `, and approves the change on ${plural(preview.approved_at_once, "asset")} at once` : ""}. What was approved stays approved.
        </p>
      )}
      <div className="buttons">
        {allowed && !asking && (
          <button type="button" className="button primary" data-testid="policy-ask" disabled={off} onClick={() => setAsking(true)}>
            Set it…
          </button>
        )}
        {allowed && asking && (
          <button
            type="button"
            className="button primary"
            data-testid="policy-send"
            disabled={off}
            autoFocus
            onClick={() => void sender.submit({ do: "policy", body: { text, compared: preview?.version ?? policy.version } }).then((done) => done && onClose())}
          >
            {sender.busy ? "Sending…" : "It counts from now on"}
          </button>
        )}
        <button type="button" className="button quiet" onClick={onClose}>
          Leave it as it is
        </button>
      </div>
      {sender.problem && <Note tone="bad">{sender.problem}</Note>}
    </div>
  );
}

function Plain({ settings, change }: { settings: Settings; change: (more: Partial<Settings>) => void }) {
  const window = settings.when === "window";
  return (
    <div className="plain">
      <Choice
        label="What can be taken back"
        value={settings.routine}
        onChange={(routine) => change({ routine })}
        testid="set-routine"
        of={{ automatic: "runs by itself", "1": "one person approves", "2": "two people approve" }}
      />
      <Choice label="All else" value={settings.rest} onChange={(rest) => change({ rest })} testid="set-rest" of={{ "1": "one person approves", "2": "two people approve" }} />
      <Choice
        label="Hosts that are critical"
        value={settings.spared ? "rest" : "same"}
        onChange={(value) => change({ spared: value === "rest" })}
        testid="set-spared"
        of={{ rest: "people approve always", same: "like any other" }}
      />
      <Choice label="How fast" value={settings.tempo} onChange={(tempo) => change({ tempo })} testid="set-tempo" of={{ cautious: "cautious", standard: "standard", fast: "fast" }} />
      <Choice label="Changes begin" value={settings.when} onChange={(when) => change({ when })} testid="set-when" of={{ any: "at any time", window: "in a window" }} />
      {window && (
        <>
          <Choice label="On" value={settings.days} onChange={(days) => change({ days })} testid="set-days" of={{ every: "every day", working: "Monday to Friday", weekend: "Saturday and Sunday" }} />
          <Field label="From">
            {(id) => <input id={id} type="time" value={settings.from} data-testid="set-from" onChange={(event) => event.target.value && change({ from: event.target.value })} />}
          </Field>
          <Field label="To">
            {(id) => <input id={id} type="time" value={settings.to} data-testid="set-to" onChange={(event) => event.target.value && change({ to: event.target.value })} />}
          </Field>
          <Field label="Time zone">
            {(id) => <input id={id} value={settings.zone} data-testid="set-zone" maxLength={64} autoComplete="off" onChange={(event) => change({ zone: event.target.value })} />}
          </Field>
          <Choice
            label="What is exploited or attacked"
            value={settings.emergency}
            onChange={(emergency) => change({ emergency })}
            testid="set-emergency"
            of={{ crosses: "does not wait for it", waits: "waits for it" }}
          />
        </>
      )}
    </div>
  );
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}

function Choice<T extends string>({ label, value, onChange, of, testid }: { label: string; value: T; onChange: (value: T) => void; of: Record<T, string>; testid: string }) {
  const names = Object.entries(of) as [T, string][];
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} data-testid={testid} onChange={(event) => onChange(event.target.value as T)}>
          {names.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
