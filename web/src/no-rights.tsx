import { session } from "./session";
import { useStore } from "./store";

/** Stands where a button would, for those who may not press it. */
export function NoRights() {
  const now = useStore(session);
  if (now.is !== "in") return null;
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
