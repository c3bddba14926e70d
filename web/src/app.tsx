import type { AssetView, DirectiveView } from "./api.gen";
import { AssetPanel } from "./asset";
import { Assets } from "./assets";
import { Closed } from "./closed";
import { DirectivePanel } from "./directive";
import { Feeds } from "./feeds";
import { FirstAnswer } from "./first-answer";
import { Header } from "./header";
import { Interruption } from "./interruption";
import { type Changed, live } from "./live";
import { type Place, place } from "./place";
import { Queue } from "./queue";
import { session } from "./session";
import { SignedOut } from "./signed-out";
import { useMedia, useStore } from "./store";

export function App() {
  const state = useStore(live);
  const here = useStore(place);
  const who = useStore(session);
  // Where the panel covers the lists, they must not take the keyboard from behind it.
  const narrow = useMedia("(max-width: 63.99rem)");
  const { overview } = state;
  if (who.is === "out") return <SignedOut session={who} />;
  return (
    <div className="page" data-panel={here && overview ? "open" : "closed"}>
      <Header state={state} />
      {overview ? (
        <div className="columns">
          <main className="lists" inert={narrow && here !== null}>
            <Interruption state={state} />
            <Queue overview={overview} covered={narrow && here !== null} />
            <Assets assets={overview.assets} />
            <Feeds feeds={overview.feeds} />
            <Closed closed={overview.closed} total={overview.closed_total} />
          </main>
          <Panel here={here} changed={state.changed} assets={overview.assets} directives={[...overview.queue, ...overview.closed]} />
        </div>
      ) : (
        <FirstAnswer state={state} />
      )}
    </div>
  );
}

interface Shown {
  here: Place;
  changed: Changed;
  assets: AssetView[];
  directives: DirectiveView[];
}

function Panel({ here, changed, assets, directives }: Shown) {
  if (here === null) return null;
  if (here.kind === "asset") return <AssetPanel id={here.id} version={changed.assets} line={assets.find((asset) => asset.id === here.id)} />;
  return <DirectivePanel id={here.id} version={changed.queue} assets={assets} line={directives.find((directive) => directive.id === here.id)} />;
}
