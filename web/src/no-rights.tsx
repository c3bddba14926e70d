import { useStore } from "./store";
import { rights } from "./token";

/** Stands where a button would, for those who may not press it. */
export function NoRights() {
  const right = useStore(rights);
  if (right.may) return null;
  return (
    <p className="no-rights" data-testid="no-rights">
      {right.rejected && "The token of this page was not accepted. "}
      To decide here, open the link that <code>tenon up</code> printed.
    </p>
  );
}
