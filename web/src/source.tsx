import type { BasisView } from "./api.gen";
import { Time } from "./bits";

/** Who says so, and as of when. */
export function Source({ basis }: { basis: Pick<BasisView, "source" | "as_of"> }) {
  return (
    <>
      {basis.source}
      {basis.as_of && (
        <>
          , as of <Time at={basis.as_of} />
        </>
      )}
    </>
  );
}
