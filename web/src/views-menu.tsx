import { useState } from "react";

import { choice, showView, written } from "./choice";
import { useFold } from "./fold";
import { useStore } from "./store";
import { keepView, LONGEST, makeUsual, removeView, renameView, type View, views } from "./views";

/** Views of the queue under names: shown, kept, called otherwise and taken away. */
export function ViewsMenu() {
  const { all } = useStore(views);
  const query = written(useStore(choice));
  const { open, setOpen, box, button, ended, escape } = useFold();

  const name = query === "" ? "all" : (all.find((one) => one.query === query)?.name ?? "not kept");
  return (
    <div className="views" ref={box} onKeyDown={escape}>
      <button type="button" className="choose" ref={button} aria-expanded={open} aria-controls="views-box" data-testid="views" onClick={() => setOpen(!open)}>
        View: <b>{name}</b>
      </button>
      {open && <Box query={query} onDone={ended} />}
    </div>
  );
}

function Box({ query, onDone }: { query: string; onDone: () => void }) {
  const { all, usual } = useStore(views);
  const [removed, setRemoved] = useState<{ name: string; undo: () => void } | null>(null);
  const show = (of: string) => {
    showView(of);
    onDone();
  };
  return (
    <div id="views-box" className="views-box" role="group" aria-label="Views of the queue" data-testid="views-box">
      <ul>
        <li>
          <div className="view">
            <button type="button" className="link" aria-current={query === "" || undefined} autoFocus={all.length === 0 || query === ""} onClick={() => show("")}>
              all of the queue
            </button>
          </div>
        </li>
        {all.map((view) => (
          <Kept
            key={view.name}
            view={view}
            here={view.query === query}
            usual={view.name === usual}
            onShow={() => show(view.query)}
            onRemove={() => setRemoved({ name: view.name, undo: removeView(view.name) })}
          />
        ))}
      </ul>
      {removed && (
        <p className="sub" role="status">
          “{removed.name}” is gone.{" "}
          <button
            type="button"
            className="link"
            data-testid="view-undo"
            autoFocus
            onClick={() => {
              removed.undo();
              setRemoved(null);
            }}
          >
            Undo
          </button>
        </p>
      )}
      {query !== "" && <Keep query={query} />}
      <p className="sub">Kept in this browser. To show somebody the same, send the address.</p>
    </div>
  );
}

function Kept({ view: { name }, here, usual, onShow, onRemove }: { view: View; here: boolean; usual: boolean; onShow: () => void; onRemove: () => void }) {
  const [renaming, setRenaming] = useState(false);
  if (renaming) return <li><Rename name={name} onDone={() => setRenaming(false)} /></li>;
  return (
    <li>
      <div className="view" data-testid="view">
        <button type="button" className="link" aria-current={here || undefined} autoFocus={here} data-testid="view-show" onClick={onShow}>
          {name}
        </button>
        {usual && <span className="tag">shown first</span>}
        <span className="view-does">
          <button type="button" className="link" data-testid="view-usual" aria-label={usual ? `Show ${name} first no more` : `Show ${name} first`} onClick={() => makeUsual(usual ? null : name)}>
            {usual ? "Not first" : "Show first"}
          </button>
          <button type="button" className="link" data-testid="view-rename" aria-label={`Rename ${name}`} onClick={() => setRenaming(true)}>
            Rename
          </button>
          <button type="button" className="link" data-testid="view-delete" aria-label={`Delete ${name}`} onClick={onRemove}>
            Delete
          </button>
        </span>
      </div>
    </li>
  );
}

function Rename({ name, onDone }: { name: string; onDone: () => void }) {
  const [text, setText] = useState(name);
  const said = text.trim();
  return (
    <form
      className="view-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (said === "") return;
        renameView(name, said);
        onDone();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onDone();
      }}
    >
      <input aria-label={`New name of ${name}`} value={text} maxLength={LONGEST} autoFocus autoComplete="off" data-testid="view-new-name" onChange={(event) => setText(event.target.value)} />
      <button type="submit" className="button quiet" disabled={said === ""}>
        Rename
      </button>
    </form>
  );
}

function Keep({ query }: { query: string }) {
  const { all } = useStore(views);
  const [text, setText] = useState("");
  const [failed, setFailed] = useState(false);
  const said = text.trim();
  const replaces = all.some(({ name }) => name === said);
  return (
    <form
      className="view-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (said === "") return;
        const done = keepView(said, query);
        setFailed(!done);
        if (done) setText("");
      }}
    >
      <label htmlFor="view-name">Keep what is shown as</label>
      <input id="view-name" value={text} maxLength={LONGEST} autoComplete="off" placeholder="Mine, due this week" data-testid="view-name" onChange={(event) => setText(event.target.value)} />
      <button type="submit" className="button quiet" disabled={said === ""} data-testid="view-keep">
        {replaces ? "Replace" : "Keep"}
      </button>
      {failed && <p className="problem" role="alert">This browser keeps nothing for this page: bookmark the address instead.</p>}
    </form>
  );
}
