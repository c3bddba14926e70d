/**
 * Which parts of a list are folded, as one text for the address: their names, or a star and the names of those that are not.
 * A name is escaped, so that one with a comma in it is no two.
 */
const ALL = "*";

export const NONE_FOLDED = "";
export const ALL_FOLDED = ALL;

function read(said: string): { all: boolean; names: Set<string> } {
  const [first, ...rest] = said.split(",");
  const all = first === ALL;
  const names = (all ? rest : [first ?? "", ...rest]).filter((name) => name !== "");
  return { all, names: new Set(names) };
}

/** Whether a part is folded. */
export function isFolded(said: string, name: string): boolean {
  const { all, names } = read(said);
  return names.has(encodeURIComponent(name)) !== all;
}

/** The text with that part folded where it was not, and the other way round. */
export function toggled(said: string, name: string): string {
  const { all, names } = read(said);
  const escaped = encodeURIComponent(name);
  if (!names.delete(escaped)) names.add(escaped);
  return [...(all ? [ALL] : []), ...[...names].sort()].join(",");
}
