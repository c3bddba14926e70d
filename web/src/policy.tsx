import { useState } from "react";

import { getPolicy } from "./api";
import type { PolicyView } from "./api.gen";
import { Note, plural, Section, Time } from "./bits";
import { moment } from "./moment";
import { PolicyEditor } from "./policy-editor";
import { useStore } from "./store";
import { useLoaded } from "./use";

/** Who approves what, when changes begin and how fast they go: the policy that counts, and the way to try another. */
export function Policy({ version }: { version: number }) {
  const then = useStore(moment);
  const loaded = useLoaded(loadPolicy, "", version);
  const [trying, setTrying] = useState(false);
  const policy = loaded.is === "here" ? loaded.value : null;
  return (
    <Section id="policy" title="Policy" aside={policy && <p className="hint">{policy.version > 0 ? `version ${policy.version} counts` : "none was set"}</p>}>
      {loaded.is === "loading" && <p className="empty" aria-busy="true">Looking…</p>}
      {loaded.is === "missing" && <Note tone="bad">{loaded.why}</Note>}
      {policy && <Counts policy={policy} />}
      {policy && then === null && !trying && (
        <div className="buttons">
          <button type="button" className="button" data-testid="try-policy" onClick={() => setTrying(true)}>
            {policy.version > 0 ? "Try another…" : "Begin with one…"}
          </button>
        </div>
      )}
      {policy && then === null && trying && <PolicyEditor policy={policy} version={version} onClose={() => setTrying(false)} />}
    </Section>
  );
}

const loadPolicy = (_: string, then: Parameters<typeof getPolicy>[0]): Promise<PolicyView> => getPolicy(then);

function Counts({ policy: { version, rules, windows, freezes } }: { policy: PolicyView }) {
  if (version === 0) {
    return <p className="empty">Each directive is approved by one person, and begins at any time. A policy lets routine work run by itself, and says when.</p>;
  }
  return (
    <div className="policy-now" data-testid="policy-now">
      <ol className="rules">
        {rules.map((rule) => (
          <li key={rule.name} data-testid="policy-rule">
            <p>
              <b>{rule.name}</b>: {rule.approval}
              {rule.windows.length > 0 && `, in ${rule.windows.join(", ")}`}
              {rule.tempo && `, ${rule.tempo}`}
            </p>
            <p className="sub">{rule.when ? <code>{rule.when}</code> : "all that no rule before it matches"}</p>
            {rule.why && <p className="sub">{rule.why}</p>}
          </li>
        ))}
      </ol>
      {(windows.length > 0 || freezes.length > 0) && (
        <ul className="findings">
          {windows.map(({ name, opens }) => (
            <li key={name} className="finding">
              <p>
                Window <b>{name}</b>: {opens}
              </p>
            </li>
          ))}
          {freezes.map(({ name, from, until, when }) => (
            <li key={name} className="finding">
              <p>
                Freeze <b>{name}</b>: <Time at={from} /> to <Time at={until} />
                {when && (
                  <>
                    , where <code>{when}</code>
                  </>
                )}
              </p>
            </li>
          ))}
        </ul>
      )}
      <p className="sub">{plural(rules.length, "rule")}; the first that matches counts. What none matches is approved by one person, at any time.</p>
    </div>
  );
}
