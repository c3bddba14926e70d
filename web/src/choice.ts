import { Store } from "./store";

/** Which of the queue is shown, and in which order. */
export interface Choice {
  sort: string;
  group: string;
}

export const choice = new Store<Choice>({ sort: "urgency", group: "" });

/** Goes to a section of the lists, where the keyboard goes on. */
function goTo(section: string): void {
  const title = document.getElementById(`${section}-title`);
  title?.scrollIntoView({ block: "center" });
  title?.focus({ preventScroll: true });
}

/** Shows the queue of a group, of all where none is named, the most urgent first: what is overdue is at its head. */
export function showInQueue(group: string): void {
  choice.set({ sort: "urgency", group });
  goTo("queue");
}

/** Shows what has ended. */
export const showClosed = (): void => goTo("closed");
