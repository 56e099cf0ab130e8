/**
 * The text of a trace that is followed, as entries and calls: what is cut by the end of a piece, waits for its stack, or
 * is a call that has not returned goes on with the next piece.
 */
import type { OpenLimit } from '../formats/trace-calls.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import { type Joined, JoinedTrace } from '../formats/trace-joined.ts';
import { TraceText } from '../formats/trace-text.ts';
import type { Kernel } from '../kernel/kernel.ts';

/** A call that does not return is shown as open after so many entries or so long; no more than these entries are held. */
const OPEN_MAX: OpenLimit = { entries: 10_000, nanoseconds: 2_000_000_000n };
/** Pauses of the stream (of 200 ms) after which it is quiet: no entry tells how late it is. */
const QUIET_PAUSES = 10;
/** A line that is longer is none of the kernel's: it is cut there. */
const REST_MAX = 256 * 1024;

/** What a pane followed when something else went first, by the file that it flowed from. */
const waiting = new WeakMap<Kernel, { readonly path: string; readonly followed: FollowedText }>();

/** Keeps what a pane has followed so far: it goes on where it was. */
export function keepFollowed(kernel: Kernel, path: string, followed: FollowedText): void {
  waiting.set(kernel, { path, followed });
}

/** What was kept of this file, and is now somebody's; undefined where nothing was. */
export function takeFollowed(kernel: Kernel, isOf: (path: string) => boolean): FollowedText | undefined {
  const kept = waiting.get(kernel);
  waiting.delete(kernel);
  return kept !== undefined && isOf(kept.path) ? kept.followed : undefined;
}

export class FollowedText {
  /** Whether lines of function_graph are joined to calls. */
  readonly joins: boolean;
  readonly #parser = new TraceText();
  readonly #trace: JoinedTrace | undefined;
  #rest = '';
  #pauses = 0;

  constructor(joins: boolean) {
    this.joins = joins;
    this.#trace = joins ? new JoinedTrace(OPEN_MAX) : undefined;
  }

  /** Takes a piece of the text; gives what is complete by now. */
  push(text: string): readonly Joined[] {
    this.#pauses = 0;
    const all = this.#rest + text;
    const end = all.lastIndexOf('\n') + 1;
    const isCut = all.length - end > REST_MAX;
    this.#rest = isCut ? '' : all.slice(end);
    return this.#joined(this.#lines(isCut ? all : all.slice(0, end)));
  }

  /** Nothing came for a while. */
  pause(): readonly Joined[] {
    const entries = this.#joined(this.#parser.flush());
    const isQuiet = entries.length === 0 && ++this.#pauses === QUIET_PAUSES;
    return isQuiet ? (this.#trace?.pause() ?? []) : entries;
  }

  /** Keeps a piece for later: something else goes first. */
  keep(text: string): void {
    this.#rest += text;
  }

  /** Nothing comes any more. */
  end(): readonly Joined[] {
    const entries = [...this.#lines(`${this.#rest}\n`), ...this.#parser.flush()];
    this.#rest = '';
    return [...this.#joined(entries), ...(this.#trace?.end() ?? [])];
  }

  /** The entries of whole lines. */
  #lines(text: string): readonly TraceEntry[] {
    return text.split('\n').flatMap((line) => this.#parser.push(line));
  }

  #joined(entries: readonly TraceEntry[]): readonly Joined[] {
    const trace = this.#trace;
    return trace === undefined ? entries : entries.flatMap((entry) => trace.push(entry));
  }
}
