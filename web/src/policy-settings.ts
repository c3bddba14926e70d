/** The few settings that most policies come to, and the file that they write. */
export interface Settings {
  /** Who approves what can be taken back: the rehearsal tried the way back, and nothing is in its way. */
  routine: "automatic" | "1" | "2";
  /** Who approves all else. */
  rest: "1" | "2";
  /** Whether hosts on which much depends are among the rest, whatever their rehearsal says. */
  spared: boolean;
  /** When changes begin. */
  when: "any" | "window";
  days: "every" | "working" | "weekend";
  from: string;
  to: string;
  /** An IANA time zone. */
  zone: string;
  /** Whether what is exploited or attacked waits for the window. */
  emergency: "waits" | "crosses";
  tempo: "cautious" | "standard" | "fast";
}

export const USUAL: Settings = {
  routine: "automatic",
  rest: "1",
  spared: true,
  when: "window",
  days: "every",
  from: "01:00",
  to: "05:00",
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
  emergency: "crosses",
  tempo: "standard",
};

const DAYS: Record<Settings["days"], string> = {
  every: "",
  working: "    days: [monday, tuesday, wednesday, thursday, friday]\n",
  weekend: "    days: [saturday, sunday]\n",
};

const approvalOf = (who: Settings["routine"]): string => (who === "automatic" ? who : `{people: ${who}}`);

/** The policy as a file. */
export function written({ routine, rest, spared, when, days, from, to, zone, emergency, tempo }: Settings): string {
  const window = when === "window";
  const how = `${window ? "    windows: [usual]\n" : ""}    tempo: ${tempo}\n`;
  const parts = ["# Written by the settings of the page. The first rule that matches counts.\nversion: 1\n"];
  if (window) parts.push(`windows:\n  usual:\n    zone: ${zone}\n${DAYS[days]}    from: "${from}"\n    to: "${to}"\n`);
  if (window && emergency === "crosses") parts.push("emergency:\n  when: vulnerability.kev || asset.attacked\n  crosses: [windows]\n");
  const asked = ["rehearsal.removed > 0", "rehearsal.conflicts > 0", "rehearsal.reboot", 'rehearsal.undo != "proven"'];
  if (spared) asked.push('asset.criticality == "critical"');
  parts.push(
    "rules:\n" +
      `  - name: look-first\n    when: >-\n      ${asked.join(" ||\n      ")}\n    approval: ${approvalOf(rest)}\n${how}    why: something is in the way, or much depends on it\n\n` +
      `  - name: routine\n    approval: ${approvalOf(routine)}\n${how}    why: the way back was tried\n`,
  );
  return parts.join("\n");
}

/** What the settings say, in one sentence. */
export function told({ routine, rest, when, emergency }: Settings): string {
  const people = (who: "1" | "2"): string => (who === "1" ? "one person" : "two people");
  const first = routine === "automatic" ? "What was rehearsed and can be taken back runs by itself" : `What was rehearsed and can be taken back is approved by ${people(routine)}`;
  const window = when === "any" ? "at any time" : emergency === "crosses" ? "in the window, and what is exploited at once" : "in the window";
  return `${first}; ${people(rest)} approve${rest === "1" ? "s" : ""} all else; ${window}.`;
}
