import type { FormEvent, ReactNode } from "react";

import { Note } from "./bits";
import type { Sender } from "./use";

const DAY_MS = 86_400_000;
/** Longest time that what people grant or record counts for, in days. */
const MOST_DAYS = 365;

/** The day so many days from now, as a field of a day takes it. */
export const dayFromNow = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
export const lastDay = (): string => dayFromNow(MOST_DAYS);

/** A form that opens in place of the button which asks for it. What was typed stays until it is sent or given up. */
export function Fill(props: { testid: string; send: string; go: string; whole: boolean; off: boolean; sender: Sender; onSend: () => Promise<void>; onCancel: () => void; children: ReactNode }) {
  const { testid, send, go, whole, off, sender, onSend, onCancel, children } = props;
  return (
    <form
      className="ask"
      data-testid={testid}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (whole && !off) void onSend();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onCancel();
      }}
    >
      {children}
      <div className="buttons">
        <button type="submit" className="button primary" disabled={!whole || off} data-testid={send}>
          {sender.busy ? "Sending…" : go}
        </button>
        <button type="button" className="button quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
      {sender.problem && <Note tone="bad">{sender.problem}</Note>}
    </form>
  );
}
