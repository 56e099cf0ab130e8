/**
 * What is chosen in the scrollback: a line, an object in it, and lines selected for copying.
 */

import { escapeControls } from '../../../core/output/escape.ts';
import { type Line, textOf } from '../../../core/output/line.ts';
import { type Target, targetsOf } from '../viewport.ts';
import type { Reading } from './reading.ts';

export class Cursor {
  readonly #reading: Reading;
  /** The line that is chosen. */
  line = 0;
  /** Which of its objects. */
  #object = 0;
  /** Where the selection began. */
  #anchor: number | undefined;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  get isSelecting(): boolean {
    return this.#anchor !== undefined;
  }

  get targets(): readonly Target[] {
    const line = this.#reading.store.at(this.line);
    return line === undefined ? [] : targetsOf(line);
  }

  /** The object that is marked. */
  get target(): Target | undefined {
    const { targets } = this;
    return targets[Math.min(this.#object, targets.length - 1)];
  }

  /** Chooses the last line that is shown: where reading begins. */
  begin(): void {
    let last = this.#reading.top.line;
    for (const { line } of this.#reading.shown()) last = line;
    this.choose(last);
    this.#anchor = undefined;
  }

  /** Chooses a line, within what there is, and shows it. */
  choose(line: number, object = 0): void {
    const { store, outline } = this.#reading;
    const within = Math.max(store.first, Math.min(line, store.end - 1));
    this.line = Math.max(0, outline.visible(within));
    this.#object = object;
    this.#reading.reveal(this.line);
  }

  /** Moves over lines that are seen. */
  move(lines: number): void {
    const { store, outline } = this.#reading;
    const direction = lines < 0 ? -1 : 1;
    let at = this.line;
    for (let i = 0; i < Math.abs(lines); i++) {
      const next = outline.step(at, direction, store.end);
      if (next < store.first || next >= store.end) break;
      at = next;
    }
    this.choose(at);
  }

  /** The next object of the line; false when there is none that way. */
  side(direction: 1 | -1): boolean {
    const { targets } = this;
    const next = Math.min(this.#object, targets.length - 1) + direction;
    if (next < 0 || next >= targets.length) return false;
    this.#object = next;
    return true;
  }

  select(): void {
    this.#anchor = this.#anchor === undefined ? this.line : undefined;
  }

  letGo(): void {
    this.#anchor = undefined;
  }

  /** Whether a line is selected. */
  selects(line: number): boolean {
    const { first, last } = this.selection;
    return this.#anchor !== undefined && line >= first && line <= last;
  }

  /** The selected lines, or the chosen one. */
  get selection(): { readonly first: number; readonly last: number } {
    const other = this.#anchor ?? this.line;
    const last = Math.max(this.line, other);
    // Of a folded block all lines are meant.
    const { outline, store } = this.#reading;
    const block = outline.blockOf(last, store.end);
    const end = block.isFolded && block.start === last && this.#anchor !== undefined ? block.end - 1 : last;
    return { first: Math.min(this.line, other), last: end };
  }

  /** The text of lines as they are seen: what is copied cannot press keys where it is pasted. */
  text(first: number, last: number): string {
    const lines: string[] = [];
    for (let i = first; i <= last; i++) lines.push(seen(this.#reading.store.at(i) ?? ''));
    return lines.join('\n');
  }
}

function seen(line: Line): string {
  return textOf(line).split('\t').map(escapeControls).join('\t');
}
