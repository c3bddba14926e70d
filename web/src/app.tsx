import type { Overview } from "./api.gen";
import { PastAnswer, PastMark } from "./as-of";
import { AssetPanel } from "./asset";
import { Assets } from "./assets";
import { Backtest } from "./backtest";
import { Closed } from "./closed";
import { StandingControls } from "./controls";
import { Coverage } from "./coverage";
import { DemoGuide, DemoMark } from "./demo";
import { DirectivePanel } from "./directive";
import { DueDates } from "./due-dates";
import { AcceptedRisks } from "./exceptions";
import { FirstAnswer } from "./first-answer";
import { Header } from "./header";
import { Interruption } from "./interruption";
import { type Changed, live } from "./live";
import { moment } from "./moment";
import { Palette } from "./palette";
import { type Place, place } from "./place";
import { Policy } from "./policy";
import { Queue } from "./queue";
import { Reach } from "./reach";
import { Recorded } from "./record";
import { Scoreboard } from "./scoreboard";
import { session } from "./session";
import { SignedOut } from "./signed-out";
import { useMedia, useStore } from "./store";
import { Trend } from "./trend";
import { Vulnerabilities } from "./vulnerabilities";
import { AreWeAffected, VulnerabilityPanel } from "./vulnerability";

export function App() {
  const state = useStore(live);
  const here = useStore(place);
  const who = useStore(session);
  const then = useStore(moment);
  // Where the panel covers everything else, that must not take the keyboard from behind it.
  const narrow = useMedia("(max-width: 63.99rem)");
  const covered = narrow && here !== null;
  const { overview } = state;
  if (who.is === "out") return <SignedOut session={who} />;
  return (
    <div className="page" data-panel={here && overview ? "open" : "closed"} data-marked={overview && (overview.demo || then !== null) ? "" : undefined}>
      <div className="above" inert={covered && overview !== null}>
        <Header state={state} />
        {then !== null && <PastMark then={then} state={state} />}
        {overview?.demo && <DemoMark demo={overview.demo} />}
      </div>
      {overview && <Palette overview={overview} />}
      {overview ? (
        <div className="columns">
          <main className="lists" inert={covered}>
            <Interruption state={state} />
            {overview.demo && <DemoGuide demo={overview.demo} />}
            <AreWeAffected />
            <Queue overview={overview} version={state.changed.queue} assetsVersion={state.changed.assets} covered={covered} />
            <Trend version={state.changed.queue} />
            <Scoreboard version={state.changed.queue} />
            <Assets overview={overview} version={state.changed.assets} />
            <Vulnerabilities version={Math.max(state.changed.queue, state.changed.assets)} />
            <Reach version={`${state.changed.queue} ${state.changed.assets}`} />
            <AcceptedRisks version={state.changed.queue} />
            <StandingControls version={state.changed.queue} />
            <Policy version={state.changed.queue} />
            <DueDates version={state.changed.queue} />
            <Backtest version={state.changed.queue} />
            <Coverage feeds={overview.feeds} version={state.changed.assets} />
            <Closed overview={overview} version={state.changed.queue} />
            <Recorded overview={overview} />
          </main>
          <Panel here={here} changed={state.changed} overview={overview} />
        </div>
      ) : then !== null ? (
        <PastAnswer then={then} state={state} />
      ) : (
        <FirstAnswer state={state} />
      )}
    </div>
  );
}

function Panel({ here, changed, overview }: { here: Place; changed: Changed; overview: Overview }) {
  if (here === null) return null;
  if (here.kind === "vulnerability") return <VulnerabilityPanel id={here.id} overview={overview} version={`${changed.queue} ${changed.assets}`} />;
  if (here.kind === "asset") return <AssetPanel id={here.id} version={changed.assets} />;
  return <DirectivePanel id={here.id} version={changed.queue} />;
}
