import { findSession, getOverview, Unreachable } from "./api";
import type { Overview } from "./api.gen";
import { entryOf, type Moment, moment } from "./moment";
import { session } from "./session";
import { Store } from "./store";
import { keepTimeOf, standAt } from "./time";

/**
 * `live`: changes arrive by themselves. `stale`: Tenon can be asked, but what is shown may lag. `offline`: Tenon does
 * not answer; what is shown is the last that it said. `paused`: the record is shown as it stood, and nothing changes it.
 */
export type Link = "connecting" | "live" | "stale" | "offline" | "paused";

export interface Changed {
  assets: number;
  queue: number;
}

/** What an event of the live stream says. */
interface Moved {
  generation: number;
  facets: string[];
}

export interface Live {
  link: Link;
  overview: Overview | null;
  /** Whether this is a demonstration: also while one looks back, where the overview does not tell. */
  invented: boolean;
  /** When the overview was received, by this machine's clock. */
  received: number | null;
  /** Where each part last changed: what is shown of one is fetched again only then. */
  changed: Changed;
  /** What is wrong, for people. */
  problem: string | null;
}

/** How the last attempts at feeds went is not in the journal, so nothing announces it: ask now and then. */
const EVERY_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

class LiveStore extends Store<Live> {
  #stream: EventSource | null = null;
  #open = false;
  #fetching: Promise<void> | null = null;
  #again = false;
  #changed: Changed = { assets: 0, queue: 0 };
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    // The stream takes the session that the first question finds or begins.
    void this.refresh().finally(() => this.#connect());
    moment.subscribe(() => this.#turn());
    setInterval(() => void this.#refreshNow(), EVERY_MS);
    // A machine that slept has a stream that looks open and is not.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.#refreshNow();
    });
    window.addEventListener("online", () => this.#connect());
    window.addEventListener("offline", () => this.#lost());
  }

  /** Another moment is to be shown. What is shown is of the one before, and is taken away at once. */
  #turn(): void {
    this.#end();
    this.#open = false;
    this.#fetching = null;
    standAt(null);
    this.set({ ...this.get(), link: moment.get() === null ? "connecting" : "paused", overview: null, received: null, problem: null });
    void this.refresh().finally(() => this.#connect());
  }

  /** Asks again for a moment that could not be shown. */
  again(): void {
    this.set({ ...this.get(), problem: null });
    void this.refresh();
  }

  /** Asks again for what may have changed: what was does not. */
  async #refreshNow(): Promise<void> {
    if (moment.get() === null) await this.refresh();
  }

  /** Asks for the overview. Any number of calls while one answer is awaited lead to one more question. */
  refresh = (): Promise<void> => {
    this.#again = true;
    if (this.#fetching) return this.#fetching;
    const fetching = this.#ask(moment.get()).finally(() => {
      if (this.#fetching === fetching) this.#fetching = null;
    });
    this.#fetching = fetching;
    return fetching;
  };

  async #ask(then: Moment): Promise<void> {
    while (this.#again && then === moment.get()) {
      this.#again = false;
      // Nobody is signed in: the way back is through another page.
      if (session.get().is === "out") return this.#end();
      try {
        await findSession();
        if (then === null) this.#show(await getOverview(null));
        else await this.#lookBack(then);
      } catch (error) {
        if (then !== moment.get()) return;
        const message = error instanceof Error ? error.message : String(error);
        const link = error instanceof Unreachable ? "offline" : "stale";
        this.set({ ...this.get(), link: then === null ? link : "paused", problem: message });
      }
    }
  }

  #show(overview: Overview): void {
    if (moment.get() !== null) return;
    keepTimeOf(overview.demo);
    this.set({
      link: this.#open ? "live" : "stale",
      overview,
      invented: overview.demo != null,
      received: Date.now(),
      changed: this.#changed,
      problem: this.#open ? null : "The live connection is interrupted and is being set up again",
    });
  }

  async #lookBack(then: string): Promise<void> {
    // That hosts and advisories are invented is told of now only.
    const { demo } = await getOverview(null);
    const overview = await getOverview(then);
    if (moment.get() !== then) return;
    keepTimeOf(demo);
    const time = Date.parse((entryOf(then) === null ? then : overview.time) ?? "");
    standAt(Number.isNaN(time) ? null : time);
    this.set({ link: "paused", overview, invented: demo != null, received: Date.now(), changed: this.#changed, problem: null });
  }

  #end(): void {
    clearTimeout(this.#retry);
    this.#stream?.close();
    this.#stream = null;
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#stream?.close();
    if (session.get().is === "out" || moment.get() !== null) return;
    const stream = new EventSource("/api/v1/events");
    this.#stream = stream;
    stream.addEventListener("open", () => {
      this.#open = true;
      this.#retryMs = FIRST_RETRY_MS;
      void this.refresh();
    });
    stream.addEventListener("generation", (event: MessageEvent<string>) => this.#moved(JSON.parse(event.data) as Moved));
    stream.addEventListener("error", () => this.#lost());
  }

  /** The record moved on. What nobody is shown is not asked for. */
  #moved({ generation, facets }: Moved): void {
    const { overview } = this.get();
    if (facets.length === 0 && overview) {
      this.set({ ...this.get(), overview: { ...overview, seq: Math.max(overview.seq, generation) } });
      return;
    }
    const at = (facet: keyof Changed): number => (facets.includes(facet) ? generation : this.#changed[facet]);
    this.#changed = { assets: at("assets"), queue: at("queue") };
    void this.refresh();
  }

  /** The browser gives up on some failures for good: the waiting is done here. */
  #lost(): void {
    this.#open = false;
    this.#stream?.close();
    clearTimeout(this.#retry);
    if (session.get().is === "out" || moment.get() !== null) return;
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    void this.refresh();
  }
}

export const live = new LiveStore({ link: moment.get() === null ? "connecting" : "paused", overview: null, invented: false, received: null, changed: { assets: 0, queue: 0 }, problem: null });
