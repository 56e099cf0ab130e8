/**
 * The way back: what a pane showed before, where in it, and what had the keys.
 */
import type { Focus } from './contract.ts';
import type { Viewport } from './viewport.ts';

export interface Place {
  readonly line: string;
  /** The view that it was; undefined for a command that was followed or typed. */
  readonly view: number | undefined;
  readonly chosen: number;
  readonly object: number;
  readonly top: number;
  readonly focus: Focus;
}

/** Places that are remembered. */
const PLACES_MAX = 200;

export class Trail {
  #places: Place[] = [];

  clear(): void {
    this.#places = [];
  }

  push(place: Pick<Place, 'line' | 'view' | 'focus'>, { chosen, object, top }: Viewport): void {
    this.#places.push({ ...place, chosen, object, top });
    if (this.#places.length > PLACES_MAX) this.#places.shift();
  }

  pop(): Place | undefined {
    return this.#places.pop();
  }
}

/** Stands where one stood. */
export function goTo({ top, chosen, object }: Place, viewport: Viewport): void {
  viewport.top = top;
  viewport.choose(chosen);
  viewport.object = object;
}
