import type { ReactNode } from "react";

import { known, type Tone } from "./stages";
import { ago, exact, short, useNow } from "./time";

const number = new Intl.NumberFormat();
export const count = (value: number): string => number.format(value);
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A recorded time in the reader's zone; the exact instant on hover. A text that is no time stays as it is. */
export function Time({ at, as = "short" }: { at: string; as?: "short" | "ago" }) {
  const now = useNow();
  const time = Date.parse(at);
  if (Number.isNaN(time)) return <span>{at}</span>;
  return (
    <time dateTime={at} title={exact(time, at)}>
      {as === "ago" ? ago(time, now) : short(time, now)}
    </time>
  );
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A sentence of Tenon's, with the recorded times in it in the reader's zone. */
export function Said({ text }: { text: string }) {
  // A split by one group gives texts and times in turn.
  return <>{text.split(INSTANT).map((part, at) => (at % 2 === 1 ? <Time key={at} at={part} /> : part))}</>;
}

/** Most tones have one shape; these need another beside it. */
export type Shape = Tone | "seen" | "gone";

const SHAPES: Record<Shape, ReactNode> = {
  wait: <circle cx="6" cy="6" r="4.25" className="line" strokeDasharray="2 1.6" />,
  run: (
    <>
      <circle cx="6" cy="6" r="4.25" className="line" />
      <path d="M6 1.75a4.25 4.25 0 0 1 0 8.5z" className="fill" />
    </>
  ),
  ask: (
    <>
      <path d="M6 .8 11.2 6 6 11.2.8 6z" className="fill" />
      <path d="M6 3.4v3.2M6 7.7v.9" className="cut" />
    </>
  ),
  good: (
    <>
      <circle cx="6" cy="6" r="5" className="fill" />
      <path d="m3.6 6.1 1.7 1.7 3.1-3.5" className="cut" />
    </>
  ),
  bad: (
    <>
      <path d="M3.5 1h5L11 3.5v5L8.5 11h-5L1 8.5v-5z" className="fill" />
      <path d="m4.2 4.2 3.6 3.6m0-3.6-3.6 3.6" className="cut" />
    </>
  ),
  seen: (
    <>
      <circle cx="6" cy="6" r="4.25" className="line" />
      <circle cx="6" cy="6" r="1.75" className="fill" />
    </>
  ),
  gone: <path d="M2.5 6h7" className="line" />,
  back: <path d="M4.2 1.3 1.5 4l2.7 2.7M1.7 4h5.1a3.3 3.3 0 0 1 0 6.6H4" className="line" />,
};

/** A sign that reads without colour: every tone has a shape of its own. */
export function Sign({ tone, shape = tone }: { tone: Tone; shape?: Shape }) {
  return (
    <svg className="sign" data-tone={tone} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[shape]}
    </svg>
  );
}

/** How something ended, with its sign. */
export function Mark({ tone, word, testid }: { tone: Tone; word: string; testid: string }) {
  return (
    <span className="stage" data-tone={tone} data-testid={testid}>
      <Sign tone={tone} />
      <span>{word}</span>
    </span>
  );
}

export function StageMark({ stage, of }: { stage: string; of?: number }) {
  const { word, tone } = known(stage);
  return (
    <span className="stage" data-testid="stage" data-stage={stage} data-tone={tone}>
      <Sign tone={tone} />
      <span>
        {of !== undefined && `${count(of)} `}
        {word}
      </span>
    </span>
  );
}

/** How many assets, and which, as far as they are named. */
export const Named = ({ assets, hosts }: { assets: number; hosts: string[] }) => (
  <>
    {plural(assets, "asset")}: {hosts.join(", ")}
    {assets > hosts.length && ` and ${count(assets - hosts.length)} more`}
  </>
);

/** Something that calls for attention, with its sign. */
export function Note({ tone, children, testid }: { tone: Tone; children: ReactNode; testid?: string }) {
  return (
    <p className="note" data-tone={tone} data-testid={testid}>
      <Sign tone={tone} />
      <span>{children}</span>
    </p>
  );
}

/** Words that only a screen reader needs, because a column's head says them to the eye. */
export const Unseen = ({ children }: { children: ReactNode }) => <span className="unseen">{children}</span>;

/** A section of the page or of the panel. */
export function Section(props: { id: string; title: ReactNode; aside?: ReactNode; busy?: boolean; children: ReactNode }) {
  return (
    <section className="section" aria-busy={props.busy || undefined} aria-labelledby={`${props.id}-title`} id={props.id} data-testid={props.id}>
      <header className="section-head">
        <h2 id={`${props.id}-title`} tabIndex={-1}>
          {props.title}
        </h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}
