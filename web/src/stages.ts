import type { DirectiveAssetView, DirectiveView } from "./api.gen";

export type Tone = "wait" | "run" | "ask" | "good" | "bad" | "back";

interface Known {
  word: string;
  tone: Tone;
  /** Lower comes first where stages are summed up: what a person must do stands before what runs by itself. */
  rank: number;
}

const KNOWN: Record<string, Known> = {
  "needs-person": { word: "needs a person", tone: "bad", rank: 0 },
  failed: { word: "failed", tone: "bad", rank: 1 },
  "rolled-back": { word: "rolled back", tone: "back", rank: 2 },
  "awaiting-approval": { word: "awaiting approval", tone: "ask", rank: 3 },
  applying: { word: "applying", tone: "run", rank: 4 },
  approved: { word: "approved", tone: "run", rank: 5 },
  rehearsing: { word: "rehearsing", tone: "run", rank: 6 },
  proposed: { word: "proposed", tone: "wait", rank: 7 },
  applied: { word: "applied", tone: "run", rank: 8 },
  verified: { word: "verified", tone: "good", rank: 9 },
  "fixed-otherwise": { word: "fixed otherwise", tone: "good", rank: 10 },
};

/** A stage that this page does not know yet is shown by its name. */
export function known(stage: string): Known {
  return KNOWN[stage] ?? { word: stage, tone: "wait", rank: 11 };
}

export const awaiting = (directive: DirectiveView): DirectiveAssetView[] =>
  directive.assets.filter((asset) => asset.stage.name === "awaiting-approval");

/** How many assets are at which stage, what needs a person first. */
export function stageCounts(directive: Pick<DirectiveView, "stages">): { stage: string; assets: number }[] {
  return Object.entries(directive.stages)
    .map(([stage, assets]) => ({ stage, assets }))
    .sort((a, b) => known(a.stage).rank - known(b.stage).rank);
}

/** The kind of undo, and the reason where there is one. */
export function undo(text: string): { kind: string; word: string; reason: string | null } {
  const [, kind = text, reason = null] = /^([a-z-]+)(?:: ([\s\S]+))?$/.exec(text) ?? [];
  return { kind, word: kind === "not-possible" ? "not possible" : kind, reason };
}
