import { Store } from "./store";

/** The text of a policy that somebody writes and wants to see over history; `null` where nobody asked for that. */
export const draft = new Store<string | null>(null);
