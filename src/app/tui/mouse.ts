/**
 * The mouse: a press gives a pane the keys and chooses what is under it, a second press follows it, the wheel scrolls
 * what is under the pointer, and borders are dragged.
 */
import type { MouseEvent } from '../prompt/keys.ts';
import type { Rect } from './contract.ts';
import type { Desk } from './desk.ts';
import type { Leaf } from './layout.ts';

/** What a mouse event means. */
export type MouseMeaning =
  | { readonly kind: 'none' }
  | { readonly kind: 'drag-border'; readonly border: number; readonly to: number }
  /** In a leaf, at a cell of it; row 0 is the title. */
  | { readonly kind: 'press' | 'double'; readonly leaf: Leaf; readonly x: number; readonly y: number }
  /** The button is held, or let go, after a press in this leaf. */
  | { readonly kind: 'drag' | 'release'; readonly leaf: Leaf }
  | { readonly kind: 'wheel'; readonly leaf: Leaf; readonly rows: number };

/** Milliseconds between the presses of a double click. */
const DOUBLE_MS = 400;
const WHEEL_ROWS = 3;

function contains({ x, y, width, height }: Rect, event: MouseEvent): boolean {
  return event.x >= x && event.x < x + width && event.y >= y && event.y < y + height;
}

export class Mouse {
  #dragged: number | undefined;
  #pressed: Leaf | undefined;
  #last: { readonly x: number; readonly y: number; readonly at: number } | undefined;

  /** `now` is in milliseconds. */
  meaning(event: MouseEvent, desk: Desk, now: number): MouseMeaning {
    const { leaves, borders } = desk.arrangement;
    if (event.action === 'release') {
      const leaf = this.#pressed;
      this.#dragged = undefined;
      this.#pressed = undefined;
      return leaf === undefined ? { kind: 'none' } : { kind: 'release', leaf };
    }
    if (event.action === 'move') {
      const border = this.#dragged === undefined ? undefined : borders[this.#dragged];
      if (event.button !== 0) return { kind: 'none' };
      if (border === undefined)
        return this.#pressed === undefined ? { kind: 'none' } : { kind: 'drag', leaf: this.#pressed };
      return { kind: 'drag-border', border: this.#dragged as number, to: border.axis === 'x' ? event.x : event.y };
    }
    const under = [...leaves].find(([, rect]) => contains(rect, event));
    if (event.action === 'wheel-up' || event.action === 'wheel-down') {
      if (under === undefined) return { kind: 'none' };
      return { kind: 'wheel', leaf: under[0], rows: event.action === 'wheel-up' ? -WHEEL_ROWS : WHEEL_ROWS };
    }
    if (event.button !== 0) return { kind: 'none' };
    const border = borders.findIndex(({ rect }) => contains(rect, event));
    if (border >= 0) this.#dragged = border;
    if (under === undefined) return { kind: 'none' };
    const isDouble =
      this.#last !== undefined &&
      this.#last.x === event.x &&
      this.#last.y === event.y &&
      now - this.#last.at < DOUBLE_MS;
    this.#last = isDouble ? undefined : { x: event.x, y: event.y, at: now };
    const [leaf, rect] = under;
    if (border < 0) this.#pressed = leaf;
    return { kind: isDouble ? 'double' : 'press', leaf, x: event.x - rect.x, y: event.y - rect.y };
  }
}
