import type { Overview } from "./api.gen";
import { close } from "./place";

/** The sections of the page in their order: those of the header, and all others. */
export const SECTIONS: { id: string; name: string; more?: boolean; of?: (overview: Overview) => number }[] = [
  { id: "queue", name: "Queue", of: (overview) => overview.open },
  { id: "trend", name: "Exposure", more: true },
  { id: "scoreboard", name: "Scoreboard" },
  { id: "assets", name: "Assets", of: (overview) => overview.assets },
  { id: "vulnerabilities", name: "Vulnerabilities" },
  { id: "reach", name: "Reach" },
  { id: "accepted-risks", name: "Accepted risks", more: true },
  { id: "controls", name: "Controls", more: true },
  { id: "policy", name: "Policy", more: true },
  { id: "due-dates", name: "Due dates", more: true },
  { id: "backtest", name: "Backtest", more: true },
  { id: "coverage", name: "Coverage", more: true },
  { id: "feeds", name: "Feeds", of: (overview) => overview.feeds.length },
  { id: "messages", name: "Messages", more: true },
  { id: "closed", name: "Closed", of: (overview) => overview.closed },
  { id: "record", name: "Record" },
];

/** Goes to a section, where the keyboard goes on. What covers it is closed. */
export function goToSection(id: string, block: ScrollLogicalPosition = "start"): void {
  const there = () => {
    const title = document.getElementById(`${id}-title`);
    title?.focus({ preventScroll: true });
    title?.scrollIntoView({ block });
  };
  if (!document.querySelector(".lists[inert]")) return there();
  close();
  // Behind what covered it nothing takes the focus before that is drawn.
  requestAnimationFrame(() => requestAnimationFrame(there));
}
