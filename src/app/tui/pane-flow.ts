/**
 * What flows into a pane that is followed. It comes once and is nowhere else, so it stays when another view shows how it
 * goes on, and is put aside while something else is looked at.
 */
import type { Line } from '../../core/output/line.ts';
import type { PaneReading } from './pane-reading.ts';

export interface PaneFlowEvents {
  readonly take: (lines: readonly Line[]) => void;
  /** It ended by itself. */
  readonly ended: () => void;
}

export class PaneFlow {
  /** The pane shows what comes, by a stream or by being read again. */
  isFollowing = false;
  readonly #reading: PaneReading;
  readonly #events: PaneFlowEvents;
  #stream: string | undefined;
  /** The lines of the pane flowed, the last of them at least. */
  #holds = false;
  #aside: readonly Line[] | undefined;

  constructor(reading: PaneReading, events: PaneFlowEvents) {
    this.#reading = reading;
    this.#events = events;
  }

  /** The lines of the pane flowed: read again, they would be gone. */
  get holds(): boolean {
    return this.#holds;
  }

  /**
   * Shows what flows by this command, or something else where there is none. True when what flowed is there: nothing is to
   * be read.
   */
  turnTo(command: string | undefined): boolean {
    this.#flowBy(this.isFollowing ? command : undefined);
    if (command === undefined) {
      if (this.#holds) this.#aside = [...this.#reading.lines];
      this.#holds = false;
      return false;
    }
    const wasThere = this.#holds || this.#aside !== undefined;
    if (this.#aside !== undefined) this.#reading.put(this.#aside);
    this.#aside = undefined;
    this.#holds = wasThere || this.isFollowing;
    return wasThere;
  }

  /** Follows no more. What has come since, and what waited for more, is read by a command and stands behind what flowed. */
  end(rest: string | undefined): void {
    const flowed = this.#stream !== undefined;
    this.isFollowing = false;
    this.#flowBy(undefined);
    if (flowed && rest !== undefined) this.#reading.readRest(rest, this.#events.take);
  }

  /** What flowed is of no interest any more. */
  forget(): void {
    this.#holds = this.isFollowing && this.#stream !== undefined;
    this.#aside = undefined;
  }

  #flowBy(command: string | undefined): void {
    if (command === this.#stream) return;
    this.#stream = command;
    if (command === undefined) {
      this.#reading.endStream();
      return;
    }
    const ended = (): void => {
      this.isFollowing = false;
      this.#stream = undefined;
      this.#events.ended();
    };
    this.#reading.stream(command, this.#events.take, ended);
  }
}
