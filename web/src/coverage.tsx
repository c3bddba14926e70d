import { getGaps } from "./api";
import type { FeedView, GapView } from "./api.gen";
import { count, Note, plural, Section } from "./bits";
import { Feeds } from "./feeds";
import { Messages } from "./messages";
import { moment } from "./moment";
import { useStore } from "./store";
import { useLoaded } from "./use";

/** Gaps that fit; the command line has them all. */
const FIT = "20";

const GAPS: Record<string, string> = {
  "never-reported": "never reported",
  "not-assessed": "not assessed",
  silent: "silent",
  "index-stale": "index too old",
  "not-known": "not known",
  "observe-only": "can only observe",
};

/** What cannot be seen, and what Tenon reads from outside. */
export function Coverage({ feeds, version }: { feeds: FeedView[]; version: number }) {
  const then = useStore(moment);
  const gaps = useLoaded(getGaps, FIT, version);
  const page = gaps.is === "here" ? gaps.value : null;
  return (
    <>
      <Section
        id="coverage"
        title="Not seen"
        busy={gaps.is === "loading"}
        aside={page && page.not_whole > 0 && <p className="hint">{plural(page.not_whole, "host is", "hosts are")} not wholly known</p>}
      >
        {gaps.is === "missing" && <Note tone="bad">{gaps.why}</Note>}
        {page?.total === 0 && <p className="empty">{page.assets === 0 ? "No asset yet." : "Nothing is known to be missing."}</p>}
        {page && page.total > 0 && (
          <ul className="rows ruled">
            {page.items.map((gap) => (
              <Gap key={`${gap.kind} ${gap.said}`} gap={gap} />
            ))}
          </ul>
        )}
        {page && page.total > page.items.length && (
          <p className="hint below">
            {count(page.total - page.items.length)} more: <code>tenon gaps{then !== null && ` --as-of ${then}`}</code>
          </p>
        )}
      </Section>
      <Feeds feeds={feeds} />
      <Messages />
    </>
  );
}

function Gap({ gap }: { gap: GapView }) {
  const more = gap.assets - gap.named.length;
  return (
    <li className="row still gap-grid" data-testid="gap-row" data-kind={gap.kind}>
      <span className="cell what">{GAPS[gap.kind] ?? gap.kind}</span>
      <span className="cell">{gap.said}</span>
      <span className="cell right" title={gap.named.join(", ") + (more > 0 ? ` and ${count(more)} more` : "")}>
        {plural(gap.assets, "host")}
      </span>
    </li>
  );
}
