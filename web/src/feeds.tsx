import type { FeedView } from "./api.gen";
import { Section, Sign, Time, Unseen } from "./bits";
import { moment } from "./moment";
import { useStore } from "./store";

/** What Tenon reads from outside, and how fresh it is. */
export function Feeds({ feeds }: { feeds: FeedView[] }) {
  // How feeds were asked is not in the record: of a time that is over nobody knows it.
  const past = useStore(moment) !== null;
  return (
    <Section id="feeds" title="Feeds" aside={<p className="hint">advisories and intel</p>}>
      {feeds.length === 0 ? (
        <p className="empty">{past ? "Nothing had been read from a feed by then." : "No feed has been asked yet."} They are asked once an asset has reported which system it runs.</p>
      ) : (
        <>
          <div className="heads feed-grid" aria-hidden="true">
            <span>Name</span>
            <span>As of</span>
            <span>Last asked</span>
            <span>Last change</span>
            <span>Problem</span>
          </div>
          <ul className="rows">
            {feeds.map((feed) => (
              <li key={feed.name} className="row still feed-grid" data-testid="feed-row">
                <span className="cell what">{feed.name}</span>
                <When name="As of" at={feed.as_of} none="no date given" />
                <When name="Asked" at={feed.asked} none={past ? "not recorded" : "not yet"} />
                <When name="Changed" at={feed.changed} none="nothing read yet" />
                {past ? (
                  <span className="cell feed-problem faint">not recorded</span>
                ) : (
                  <span className="cell feed-problem" data-tone={feed.problem ? "bad" : "good"}>
                    <Sign tone={feed.problem ? "bad" : feed.changed ? "good" : "wait"} />
                    <span>
                      <Unseen>Problem </Unseen>
                      {feed.problem ?? (feed.changed ? "none" : "none so far")}
                    </span>
                  </span>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function When({ name, at, none }: { name: string; at: string | null | undefined; none: string }) {
  return (
    <span className="cell when">
      <Unseen>{name} </Unseen>
      {at ? <Time at={at} as="ago" /> : <span className="faint">{none}</span>}
    </span>
  );
}
