import { moment } from "./moment";

/** Where the server writes one sheet, to read and to print: of the moment that is shown. */
export function boardAddress(): string {
  const then = moment.get();
  return then === null ? "/board" : `/board?${new URLSearchParams({ as_of: then }).toString()}`;
}
