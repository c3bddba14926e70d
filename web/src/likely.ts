import type { BoundsView } from "./api.gen";

/** A probability in parts per million, as people read it; what is there is never told as nothing. */
export function percent(ppm: number): string {
  if (ppm === 0) return "0 %";
  // Most forecasts are that small, and what they differ by counts.
  if (ppm < 100) return inFull(ppm);
  const digits = ppm < 10_000 ? 2 : ppm < 100_000 ? 1 : 0;
  // Never more than there is: what is not certain is not told as certain.
  const whole = Math.floor((ppm / 10_000) * 10 ** digits) / 10 ** digits;
  return `${whole.toFixed(digits)} %`;
}

/** The same to the last digit that counts: what a feed states, or a factor of a product. */
export function inFull(ppm: number): string {
  const text = (ppm / 10_000).toFixed(ppm < 10_000 ? 4 : 2);
  return `${Number(text)} %`;
}

/** Both bounds, or the one number that they are. */
export function between({ least, most }: BoundsView): string {
  const [low, high] = [percent(least), percent(most)];
  return low === high ? low : `${low} to ${high}`;
}
