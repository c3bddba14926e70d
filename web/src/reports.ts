import { getReport } from "./api";

/** The shapes of reports. The API passes them on as the host sent them, so every field may be missing. */
export interface Step {
  package?: string;
  architecture?: string;
  change?: string;
  from?: string;
  to?: string;
}

export interface RehearsalReport {
  outcome?: string;
  reason?: string;
  transaction?: { steps?: Step[]; kept_back?: string[] };
  files?: { package?: string; version?: string; sha256?: string }[];
  conffile_conflicts?: string[];
  units?: string[];
  reboot?: boolean;
  bytes_written?: number;
  duration_ms?: number;
  undo?: { undo?: string; reason?: string };
  output?: string;
}

/** One program of the host's own that ran around the change. */
export interface HookRun {
  hook?: string;
  moment?: string;
  ended?: string;
  code?: number;
  after_s?: number;
  reason?: string;
  duration_ms?: number;
  output?: string;
}

export interface ApplyReport {
  outcome?: string;
  reason?: string;
  remedy?: string;
  code?: string;
  detail?: string;
  evidence?: {
    package_manager_exit?: number | null;
    versions?: [string, string][];
    stale?: { pid?: number; command?: string; unit?: string | null; file?: string }[];
    units?: { unit?: string; before?: string; after?: string }[];
    restarted?: string[];
    reboot_pending?: boolean;
    hooks?: HookRun[];
  };
  duration_ms?: number;
  output?: string;
}

export type Report = { kind: "rehearsal"; report: RehearsalReport } | { kind: "apply"; report: ApplyReport };

function recognise(content: unknown): Report {
  if (typeof content === "object" && content !== null) {
    if ("evidence" in content) return { kind: "apply", report: content as ApplyReport };
    if ("transaction" in content) return { kind: "rehearsal", report: content as RehearsalReport };
  }
  throw new Error("This is neither a rehearsal report nor an apply report");
}

/** A digest names its content: what was fetched once cannot change. */
const fetched = new Map<string, Report>();

export async function report(digest: string): Promise<Report> {
  const before = fetched.get(digest);
  if (before) return before;
  const known = recognise(await getReport(digest));
  fetched.set(digest, known);
  return known;
}
