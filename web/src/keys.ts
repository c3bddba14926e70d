import type { RefObject } from "react";

import { close, open, place } from "./place";

const STEPS: Record<string, number> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

export const takesText = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

/**
 * The keyboard: arrows and j/k walk the queue and the heads of its parts, Enter opens (rows are buttons), Escape closes. Letters work from
 * anywhere; arrows only from a row or from nowhere, because elsewhere they scroll. While a directive is open beside
 * the list, the panel follows the walk.
 */
export function keys(list: RefObject<HTMLElement | null>, covered: boolean): () => void {
  function pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return escape(event);
    const step = STEPS[event.key];
    if (step === undefined || covered || takesText(event.target)) return;
    const rows = Array.from(list.current?.querySelectorAll<HTMLElement>("[data-id], [data-head]") ?? []);
    const focused = rows.findIndex((row) => row === document.activeElement);
    const letter = event.key.length === 1;
    if (focused < 0 && !letter && document.activeElement !== document.body) return;
    const here = place.get();
    const from = focused >= 0 ? focused : here ? rows.findIndex((row) => row.dataset.id === here.id) : -1;
    const next = rows[from < 0 ? 0 : Math.min(Math.max(from + step, 0), rows.length - 1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
    if (here?.kind === "directive" && next.dataset.id) open(next.dataset.id);
  }

  function escape(event: KeyboardEvent): void {
    const here = place.get();
    // In a form, Escape gives up the form first; the form handles that itself.
    if (!here || takesText(event.target)) return;
    close();
    document.querySelector<HTMLElement>(`[data-id="${here.id}"]`)?.focus();
  }

  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
