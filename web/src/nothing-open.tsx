import { getGaps } from "./api";
import type { Overview } from "./api.gen";
import { plural } from "./bits";
import { moment } from "./moment";
import { useStore } from "./store";
import { useLoaded } from "./use";

/** Why the queue is empty: each reason asks for something else, and only one of them is good news. */
export function NothingOpen({ overview: { assets, feeds }, version }: { overview: Overview; version: number }) {
  const gaps = useLoaded(getGaps, "1", version);
  const past = useStore(moment) !== null;
  if (assets === 0 && past) {
    return (
      <div className="empty" data-testid="no-asset">
        <p>
          <strong>There was no asset then.</strong>
        </p>
      </div>
    );
  }
  if (assets === 0) {
    return (
      <div className="empty" data-testid="no-asset">
        <p>
          <strong>No asset yet.</strong> A host appears here with its first report, usually within a minute of{" "}
          <code>tenon up</code>.
        </p>
        <p>
          More hosts join with a token: <code>tenon enrol-token</code>
        </p>
      </div>
    );
  }
  const unknown = gaps.is === "here" ? gaps.value.not_whole : null;
  const troubled = feeds.filter((feed) => feed.problem).length;
  return (
    <div className="empty" data-testid="nothing-to-do">
      <p>
        {/* While it is not known how much is seen, nothing good is claimed. */}
        <strong>{unknown === 0 ? "Nothing to do." : "Nothing to do that Tenon knows of."}</strong>{" "}
        {unknown === 0 && `No security update ${past ? "waited" : "waits"} on ${plural(assets, "asset")}.`}
        {unknown !== null && unknown > 0 && `${plural(unknown, "asset is", "assets are")} not wholly known: the reasons stand below.`}
      </p>
      {troubled > 0 && <p>{plural(troubled, "feed has", "feeds have")} a problem: newer advisories may be missing.</p>}
    </div>
  );
}
