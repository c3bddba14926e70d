import { plural } from "./bits";
import { live } from "./live";
import { NoRights } from "./no-rights";
import { useMay } from "./session";
import { useStore } from "./store";
import { useSend } from "./use";

/** What the other mode would mean, before anybody presses. */
export function whatActing(mode: string, assets: number): string {
  if (mode === "act") return "Rehearses security updates on a throw-away copy of the host, and applies what a person approved.";
  return `Rehearsals would begin on a throw-away copy of ${assets === 1 ? "the host" : "each host"}; nothing is applied without approval.`;
}

/** The mode of a group, explained, with the way to the other one. */
export function LetItAct({ group, mode, assets }: { group: string; mode: string; assets: number }) {
  const allowed = useMay("operate");
  return (
    <div className="mode">
      <p className="mode-says">{whatActing(mode, assets)}</p>
      {allowed ? <ModeButton group={group} mode={mode} assets={assets} /> : <NoRights />}
    </div>
  );
}

interface Of {
  group: string;
  mode: string;
  /** How many assets it has. */
  assets: number;
  /** Whether the button must say which group it speaks of. */
  named?: boolean;
  testid?: string;
}

/** Lets the agents of a group act, or takes that back. */
export function ModeButton({ group, mode, assets, named = false, testid }: Of) {
  const { link } = useStore(live);
  const { submit, busy, problem } = useSend();
  const turn = mode === "act" ? "demote" : "promote";
  return (
    <>
      <button
        type="button"
        className={turn === "demote" ? "button quiet" : "button"}
        data-testid={testid ?? turn}
        disabled={busy || link === "offline"}
        title={`${plural(assets, "asset")} in group ${group}`}
        onClick={() => void submit({ do: turn, group })}
      >
        {turn === "demote" ? "Only observe" : "Let it act"}
        {named && ` (${group})`}
      </button>
      {problem && <p className="problem" role="alert">{problem}</p>}
    </>
  );
}
