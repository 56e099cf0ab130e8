/** The mouse over what was printed: it scrolls, chooses, follows, and selects what it is dragged over. */
import type { MouseEvent } from '../../prompt/keys.ts';
import type { Handled } from '../contract.ts';
import type { Cursor, Place } from './cursor.ts';
import type { Position, Reading } from './reading.ts';

/** A second press within this is a double click, in milliseconds. */
const DOUBLE_MS = 400;
/** Rows that a step of the wheel scrolls. */
const WHEEL = 3;

/** What it asks for. */
export interface MouseWishes {
  readonly scroll: (rows: number) => void;
  readonly follow: () => void;
  readonly copy: () => void;
}

export class ScrollbackMouse {
  readonly #reading: Reading;
  readonly #cursor: Cursor;
  readonly #wishes: MouseWishes;
  #press: (Place & { readonly x: number; readonly y: number; readonly at: number }) | undefined;

  constructor(reading: Reading, cursor: Cursor, wishes: MouseWishes) {
    this.#reading = reading;
    this.#cursor = cursor;
    this.#wishes = wishes;
  }

  /** `left`: cells scrolled to the side, where lines are not wrapped. */
  handle(event: MouseEvent, left: number): Handled {
    if (event.action === 'wheel-up' || event.action === 'wheel-down') {
      this.#wishes.scroll(event.action === 'wheel-up' ? -WHEEL : WHEEL);
      return 'taken';
    }
    const shown = [...this.#reading.shown()];
    const position = shown[Math.max(0, Math.min(event.y, shown.length - 1))];
    if (position === undefined || event.button !== 0) return 'passed';
    const cell = event.x + this.#start(position, left);
    if (event.action === 'press') this.#pressed(event, position, cell);
    else if (event.action === 'release') {
      if (this.#cursor.isSelecting) this.#wishes.copy();
    } else {
      if (event.y < 0) this.#reading.scroll(-1);
      if (event.y >= this.#reading.height) this.#reading.scroll(1);
      this.#dragged(position.line, cell);
    }
    return 'taken';
  }

  /** The cell of the line that a row of it begins with. */
  #start({ line, row }: Position, left: number): number {
    return this.#reading.wraps ? (this.#reading.rows(line)[row]?.start ?? 0) : left;
  }

  /** Chooses the line and the object in it; a second press follows the object. */
  #pressed({ x, y }: MouseEvent, { line }: Position, cell: number): void {
    const now = performance.now();
    const isDouble = this.#press?.x === x && this.#press.y === y && now - this.#press.at < DOUBLE_MS;
    this.#press = { x, y, at: now, line, cell };
    this.#cursor.letGo();
    this.#cursor.choose(line);
    const object = this.#cursor.targets.findIndex(({ from, to }) => cell >= from && cell < to);
    if (object < 0) return;
    this.#cursor.choose(line, object);
    if (isDouble) this.#wishes.follow();
  }

  /** Selects from where the button was pressed; it is copied when it is let go. */
  #dragged(line: number, cell: number): void {
    if (!this.#cursor.isSelecting) {
      const from = this.#press ?? { line, cell };
      this.#cursor.choose(from.line);
      this.#cursor.selectPart(from.cell);
    }
    this.#cursor.choose(line);
    this.#cursor.toCell(cell);
  }
}
