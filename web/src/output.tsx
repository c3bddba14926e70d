/** The end of the package manager's output. It scrolls by itself, so it takes the keyboard. */
export function Output({ text }: { text: string | undefined }) {
  if (!text?.trim()) return null;
  return (
    <figure className="output">
      <figcaption>Output of the package manager, its end</figcaption>
      <pre tabIndex={0} data-testid="output">{text}</pre>
    </figure>
  );
}
