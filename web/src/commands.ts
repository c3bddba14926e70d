import { useEffect, useRef } from "react";

import { Store } from "./store";

/** Something that can be done with what is shown. */
export interface Command {
  /** In words, beginning with what is done. */
  name: string;
  /** On what. */
  on?: string;
  run: () => void;
}

/** By the part of the page that offers it, in the order in which they came. */
const offered = new Store<ReadonlyMap<object, readonly Command[]>>(new Map());

/** All that can be done now. */
export const commands = (): Command[] => [...offered.get().values()].flat();

/** Offers what this part of the page can do, for as long as it is shown: exactly what its own buttons do. */
export function useCommands(own: Command[]): void {
  const latest = useRef(own);
  useEffect(() => {
    latest.current = own;
  });
  const named = own.map(({ name, on = "" }) => `${name}\n${on}`).join("\n\n");
  useEffect(() => {
    if (latest.current.length === 0) return;
    const part = {};
    const mine = latest.current.map(({ name, on }, at) => ({ name, ...(on !== undefined && { on }), run: () => latest.current[at]?.run() }));
    offered.set(new Map(offered.get()).set(part, mine));
    return () => {
      const rest = new Map(offered.get());
      rest.delete(part);
      offered.set(rest);
    };
  }, [named]);
}
