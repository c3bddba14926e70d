import { backToNow, moment } from "./moment";
import { session } from "./session";
import { useStore } from "./store";

/** Stands where a button would, for those who may not press it. */
export function NoRights() {
  const now = useStore(session);
  const back = useStore(moment) !== null;
  // Said once, where a decision would be made, and not at every button.
  if (back || now.is !== "in") return null;
  const { via, name, roles } = now.who;
  return (
    <p className="no-rights" data-testid="no-rights">
      {via === "nothing" ? (
        <>
          To decide here, <a href="/sign-in">sign in</a>.
        </>
      ) : (
        <>
          {name} only looks at this: the role {roles.join(" or ")} does not decide it. An admin can give another.
        </>
      )}
    </p>
  );
}

/** Stands where a decision would be made, while one looks back. */
export function NotThen() {
  return (
    <div className="not-then" data-testid="not-then">
      <p>Nothing is decided while looking back.</p>
      <button type="button" className="button quiet" onClick={backToNow}>
        Back to now
      </button>
    </div>
  );
}
