import { useEffect } from "react";

import { keepAddress } from "./address";
import type { Session } from "./session";

/** Nobody is signed in, so nothing is shown. */
export function SignedOut({ session }: { session: Extract<Session, { is: "out" }> }) {
  const { why } = session;
  useEffect(() => {
    keepAddress();
    if (why === "never") window.location.replace("/sign-in");
  }, [why]);
  return (
    <main className="first" data-testid="signed-out">
      <h2>{why === "ended" ? "Your session has ended" : "You are not signed in"}</h2>
      {why === "token" && (
        <p>
          The link's token was not accepted: open the link that <code>tenon up</code> printed last.
        </p>
      )}
      <p>
        <a className="button primary" href="/sign-in">
          Sign in
        </a>
      </p>
    </main>
  );
}
