import type { Overview } from "./api.gen";
import { plural } from "./bits";

/** Why the queue is empty: each reason asks for something else, and only one of them is good news. */
export function NothingOpen({ overview: { assets, feeds } }: { overview: Overview }) {
  if (assets.length === 0) {
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
  const unknown = assets.filter((asset) => asset.not_assessed.length + asset.gaps.length > 0).length;
  const troubled = feeds.filter((feed) => feed.problem).length;
  return (
    <div className="empty" data-testid="nothing-to-do">
      <p>
        <strong>{unknown === 0 ? "Nothing to do." : "Nothing to do that Tenon knows of."}</strong>{" "}
        {unknown === 0
          ? `No security update waits on ${plural(assets.length, "asset")}.`
          : `${plural(unknown, "asset is", "assets are")} not wholly known: the reasons stand below.`}
      </p>
      {troubled > 0 && <p>{plural(troubled, "feed has", "feeds have")} a problem: newer advisories may be missing.</p>}
    </div>
  );
}
