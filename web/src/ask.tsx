import { type KeyboardEvent, useState } from "react";

import type { Sender } from "./use";

interface Asking {
  id: string;
  label: string;
  go: string;
  sender: Sender;
  off: boolean;
  onSay: (text: string) => Promise<void>;
  onCancel: () => void;
}

/** Asks for the reason of a decision, and sends it with that. */
export function Ask({ id, label, go, sender, off, onSay, onCancel }: Asking) {
  const [text, setText] = useState("");
  const said = text.trim();
  function pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    onCancel();
  }
  return (
    <form
      className="ask"
      data-testid={`${id}-form`}
      onKeyDown={pressed}
      onSubmit={(event) => {
        event.preventDefault();
        if (said && !off) void onSay(said);
      }}
    >
      <label htmlFor={id}>{label}</label>
      <input id={id} value={text} onChange={(event) => setText(event.target.value)} autoFocus autoComplete="off" maxLength={2000} data-testid={id} />
      <div className="buttons">
        <button type="submit" className="button primary" disabled={!said || off} data-testid={`${id}-send`}>
          {sender.busy ? "Sending…" : go}
        </button>
        <button type="button" className="button quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
