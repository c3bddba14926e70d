import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";

export interface Fold {
  open: boolean;
  setOpen: (open: boolean) => void;
  /** Around the button and what it opens. */
  box: RefObject<HTMLDivElement | null>;
  button: RefObject<HTMLButtonElement | null>;
  /** Closes it; the keyboard is at its button again. */
  ended: () => void;
  /** Escape closes it, unless something in it took that for itself. */
  escape: (event: KeyboardEvent) => void;
}

/** What a button opens beside itself, until one points elsewhere. */
export function useFold(): Fold {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const pressed = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", pressed);
    return () => document.removeEventListener("pointerdown", pressed);
  }, [open]);

  function ended(): void {
    setOpen(false);
    button.current?.focus();
  }

  function escape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !open || event.defaultPrevented) return;
    event.preventDefault();
    ended();
  }

  return { open, setOpen, box, button, ended, escape };
}
