import { useEffect, useState } from "react";

/** How long somebody pauses who has typed what they look for, in milliseconds. */
const PAUSE_MS = 150;

interface Finding {
  label: string;
  testid: string;
  /** What is looked for, where something besides this field says so. */
  value?: string;
  onFind: (text: string) => void;
}

/** A field to look for something as one types. */
export function Find({ label, testid, value, onFind }: Finding) {
  const [text, setText] = useState(value ?? "");
  const [told, setTold] = useState(value);
  if (value !== undefined && value !== told) {
    setTold(value);
    // What this field said itself comes back as it is.
    if (value !== text.trim()) setText(value);
  }
  useEffect(() => {
    const wait = setTimeout(() => onFind(text.trim()), PAUSE_MS);
    return () => clearTimeout(wait);
  }, [text, onFind]);
  return (
    <input
      type="search"
      className="find"
      placeholder={label}
      aria-label={label}
      data-testid={testid}
      value={text}
      maxLength={200}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => setText(event.target.value)}
      // Back to the list, where letters walk again.
      onKeyDown={(event) => {
        if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur();
      }}
    />
  );
}

/** A choice of a few words. */
export function Choose({ label, testid, value, of, onChoose }: { label: string; testid: string; value: string; of: [string, string][]; onChoose: (value: string) => void }) {
  return (
    <select className="choose" aria-label={label} data-testid={testid} value={value} onChange={(event) => onChoose(event.target.value)}>
      {/* What a link chose that is not among them is told as it is. */}
      {!of.some(([name]) => name === value) && <option value={value}>{value}</option>}
      {of.map(([name, word]) => (
        <option key={name} value={name}>
          {word}
        </option>
      ))}
    </select>
  );
}

/** The parts of a query that say something. */
export function queryOf(parts: Record<string, string>): string {
  const said = Object.entries(parts).filter(([, value]) => value !== "");
  return new URLSearchParams(said).toString();
}
