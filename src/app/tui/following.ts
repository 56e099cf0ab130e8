/**
 * Panes that are followed on a live target are read again and again, as long as there are any.
 */
import type { Pane } from './pane.ts';

/** Between two readings. */
const FOLLOW_MS = 1500;

export class Following {
  readonly #panes: () => Iterable<Pane>;
  #timer: NodeJS.Timeout | undefined;

  constructor(panes: () => Iterable<Pane>) {
    this.#panes = panes;
  }

  /** A pane began to be followed, or ended. */
  settle(): void {
    this.close();
    if (![...this.#panes()].some((pane) => pane.isFollowing)) return;
    this.#timer = setInterval(() => {
      for (const pane of this.#panes()) if (pane.isFollowing) pane.readOn(performance.now());
    }, FOLLOW_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
