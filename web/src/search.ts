/** The address's search with some parameters set anew; what is empty is left out. */
export function searchWith(set: Record<string, string>): string {
  const parts = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(set)) {
    if (value === "") parts.delete(name);
    else parts.set(name, value);
  }
  // URLSearchParams escapes every colon of a time and every comma of a list, which no search needs.
  const search = parts.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return search === "" ? "" : `?${search}`;
}
