import type { AttackStepView } from "./api.gen";
import { count } from "./bits";
import { percent } from "./likely";
import { openFrom } from "./place";

/** The steps of an attack, from where it begins. */
export function Way({ path }: { path: AttackStepView[] }) {
  return (
    <ol className="way" data-testid="reach-way">
      {path.map((step) => (
        <li key={`${step.from} ${step.to}`}>
          <p>
            <b>{step.from}</b> to <b>{step.to}</b>: {step.hosts === 1 ? step.host : `one of ${count(step.hosts)} hosts like ${step.host}`}
          </p>
          <p className="sub">
            by{" "}
            <button type="button" className="link" onClick={() => openFrom(step.vulnerability)}>
              {step.vulnerability}
            </button>{" "}
            in {step.package} on {step.listens.join(", ")}, which works with {percent(step.threat)}
          </p>
        </li>
      ))}
    </ol>
  );
}
