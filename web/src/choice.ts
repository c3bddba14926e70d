import { goToSection } from "./sections";
import { Store } from "./store";

/** Which of the queue is shown, and in which order. */
export interface Choice {
  sort: string;
  group: string;
}

export const choice = new Store<Choice>({ sort: "urgency", group: "" });

/** Shows the queue of a group, of all where none is named, the most urgent first: what is overdue is at its head. */
export function showInQueue(group: string): void {
  choice.set({ sort: "urgency", group });
  goToSection("queue", "center");
}

/** Shows what has ended. */
export const showClosed = (): void => goToSection("closed", "center");
