import { Store, useStore } from "./store";

/** How often the present is looked at, which suits words like "in 5 min". */
const STEP_MS = 15_000;
/** The same in a demonstration, whose time runs. */
const DEMO_STEP_MS = 1_000;

/** Since when it is which time in a demonstration. */
let demo: { time: number; since: number; pace: number } | null = null;

/** What time it is, in milliseconds. */
export const timeNow = (): number => (demo ? demo.time + (Date.now() - demo.since) * demo.pace : Date.now());

/** Where the present stands while one looks back: what was due then and how long ago something was is told from there. */
let standing: number | null = null;
const present = (): number => standing ?? timeNow();

const clock = new Store(Date.now());
let ticking = setInterval(() => clock.set(present()), STEP_MS);

/** Takes the record's time for the present: that of a demonstration runs ahead. */
export function keepTimeOf(said: { now: string; pace: number } | null | undefined): void {
  const time = said ? Date.parse(said.now) : Number.NaN;
  if (!said || Number.isNaN(time)) return;
  if (!demo) {
    clearInterval(ticking);
    ticking = setInterval(() => clock.set(present()), DEMO_STEP_MS);
  }
  demo = { time, since: Date.now(), pace: said.pace };
  clock.set(present());
}

/** Lets the present stand at a time, in milliseconds; `null` lets it go on. */
export function standAt(time: number | null): void {
  standing = time;
  clock.set(present());
}

export const useNow = (): number => useStore(clock);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time in one unit that people plan by. */
export function span(ms: number): string {
  if (ms < MINUTE) return "under a minute";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} days`;
}

/** A time in seconds, in two units at most. */
export function lasting(seconds: number): string {
  const units: [number, string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const first = Math.max(0, units.findIndex(([size]) => seconds >= size));
  if (seconds < 1) return "0 s";
  let rest = seconds;
  const parts: string[] = [];
  for (const [size, unit] of units.slice(first, first + 2)) {
    const times = Math.floor(rest / size);
    rest -= times * size;
    if (times > 0) parts.push(`${times} ${unit}`);
  }
  return parts.join(" ");
}

export function ago(time: number, now: number): string {
  // The steps of this page's clock, and small differences between two clocks, must not make a future of the past.
  if (Math.abs(now - time) < MINUTE) return "just now";
  return time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`;
}

/** How far away a due date is, and whether it calls for attention. */
export function due(time: number, now: number): { text: string; tone: "overdue" | "soon" | "later" } {
  if (time < now) return { text: `overdue by ${span(now - time)}`, tone: "overdue" };
  return { text: `in ${span(time - now)}`, tone: time - now < DAY ? "soon" : "later" };
}

const told = (how: Intl.DateTimeFormatOptions): ((time: number) => string) => {
  // Made once: making one takes longer than drawing the row in which it is used, and each tick of the clock draws them all.
  const format = new Intl.DateTimeFormat(undefined, how);
  return (time) => format.format(time);
};
const SHORT: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const WHOLE: Intl.DateTimeFormatOptions = { ...SHORT, weekday: "short", year: "numeric" };
const inYear = told(SHORT);
const ofAnyYear = told({ ...SHORT, year: "numeric" });
const toTheMinute = told(WHOLE);
const toTheSecond = told({ ...WHOLE, second: "2-digit" });
const inFull = told({ dateStyle: "full", timeStyle: "long" });

/** A short date and time in the reader's zone; the year only where it is another one. */
export function short(time: number, now: number): string {
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? inYear : ofAnyYear)(time);
}

/** A day and time in the reader's zone in full, to the second where it is not a whole minute. */
export function whole(time: number): string {
  return (time % MINUTE < 1_000 ? toTheMinute : toTheSecond)(time);
}

/** The exact instant, in the reader's zone with its name and as recorded. */
export function exact(time: number, recorded: string): string {
  return `${inFull(time)} (${recorded})`;
}

/** A duration given in milliseconds. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < MINUTE) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / MINUTE)} min ${Math.round((ms % MINUTE) / 1_000)} s`;
}
