import { useCallback } from "react";

import { searchWith } from "./search";
import { Store, useStore } from "./store";

/** What the address says, as its sections last read or wrote it. */
const search = new Store(window.location.search);

window.addEventListener("popstate", () => search.set(window.location.search));

/** A choice of a section under a name of its own. It stands in the address where it is not as usual, so that a link shows the same. */
export function useSaid(name: string, usual = ""): [value: string, say: (value: string) => void] {
  const value = new URLSearchParams(useStore(search)).get(name) ?? usual;
  const say = useCallback(
    (to: string) => {
      const now = new URLSearchParams(window.location.search).get(name) ?? usual;
      if (to === now) return;
      window.history.replaceState(window.history.state, "", window.location.pathname + searchWith({ [name]: to === usual ? "" : to }) + window.location.hash);
      search.set(window.location.search);
    },
    [name, usual],
  );
  return [value, say];
}
