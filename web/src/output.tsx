/** The end of a program's output, the package manager's where none is named. It scrolls by itself, so it takes the keyboard. */
export function Output({ text, name = "Output of the package manager" }: { text: string | undefined; name?: string }) {
  if (!text?.trim()) return null;
  return (
    <figure className="output">
      <figcaption>{name}, its end</figcaption>
      <pre tabIndex={0} data-testid="output">{text}</pre>
    </figure>
  );
}
