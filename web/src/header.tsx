import { signOut } from "./api";
import { AsOf } from "./as-of";
import { count, Sign, Time } from "./bits";
import type { Live } from "./live";
import { moment } from "./moment";
import { PaletteButton } from "./palette";
import { goToSection, SECTIONS } from "./sections";
import type { Tone } from "./stages";
import { session } from "./session";
import { useStore } from "./store";

const LINKS: Record<Live["link"], { word: string; tone: Tone }> = {
  connecting: { word: "connecting", tone: "wait" },
  live: { word: "live", tone: "good" },
  stale: { word: "stale", tone: "back" },
  offline: { word: "offline", tone: "bad" },
  paused: { word: "not live", tone: "back" },
};

export function Header({ state }: { state: Live }) {
  const { overview } = state;
  const now = useStore(session);
  // While looking back, the mark under the header says up to which entry.
  const live = useStore(moment) === null;
  const { word, tone } = LINKS[state.link];
  return (
    <header className="top">
      <h1 className="brand">
        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
          <path d="M1 2h14v4H11v2H5V6H1z" className="fill" />
          <path d="M6 9h4v5H6z" className="fill faint" />
        </svg>
        Tenon
      </h1>
      <nav className="jumps" aria-label="Sections">
        {overview &&
          SECTIONS.filter(({ more }) => !more).map(({ id, name, of }) => (
            <button key={id} type="button" className="jump" onClick={() => goToSection(id)}>
              {name} {of && <span className="number">{count(of(overview))}</span>}
            </button>
          ))}
      </nav>
      {overview && <PaletteButton />}
      <div className="state">
        <AsOf />
        <span className="stage" data-tone={tone} data-testid="live-state" data-state={state.link} role="status">
          <Sign tone={tone} />
          <span>{word}</span>
        </span>
        {live && overview && (
          <span className="position" title="Position of the journal that this page shows">
            position <span className="number" data-testid="position">{count(overview.seq)}</span>
          </span>
        )}
        {live && overview?.time && (
          <span className="last-event">
            last event <Time at={overview.time} as="ago" />
          </span>
        )}
        {now.is === "in" && now.who.via === "nothing" && <a href="/sign-in">sign in</a>}
        {now.is === "in" && now.who.via !== "nothing" && (
          <>
            <span className="rights" data-testid="rights" title={`may ${now.who.rights.join(", ")}`}>
              {now.who.name} ({now.who.roles.join(", ")})
            </span>
            <button type="button" className="jump" data-testid="sign-out" onClick={() => void signOut()}>
              Sign out
            </button>
          </>
        )}
      </div>
    </header>
  );
}
