import type { DirectiveView } from "./api.gen";
import { Note, plural, Section } from "./bits";
import { Ids } from "./vulnerability";

/** What is wrong. */
export function Wrong({ directive }: { directive: DirectiveView }) {
  const { source, closes, claims, advisories } = directive;
  return (
    <Section id="wrong" title="What is wrong">
      {closes.length > 0 && (
        <>
          <p>
            Doing this closes <b>{plural(closes.length, "vulnerability", "vulnerabilities")}</b> in {source}.
          </p>
          <Ids ids={closes} testid="vulnerability" />
        </>
      )}
      {claims.length > 0 && (
        <>
          <Note tone="ask">
            {plural(claims.length, "vulnerability is", "vulnerabilities are")} only claimed by the vendor's changelog, unconfirmed.
          </Note>
          <Ids ids={claims} testid="vulnerability" />
        </>
      )}
      {closes.length + claims.length === 0 && (
        <p>
          The host's own repositories offer a security update of {source}. No advisory that Tenon holds explains it, and its
          changelog names no CVE.
        </p>
      )}
      {advisories.length > 0 && <p className="sub">by {advisories.join(", ")}</p>}
    </Section>
  );
}
