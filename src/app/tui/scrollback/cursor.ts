/**
 * What is chosen in the scrollback: a line, an object in it, and what is selected for copying: lines, or from one cell to
 * another.
 */

import { escapeControls } from '../../../core/output/escape.ts';
import { type Line, textOf } from '../../../core/output/line.ts';
import { type Target, targetsOf } from '../viewport.ts';
import { cellsOf, textBetween, wordFrom } from './line-cells.ts';
import type { Reading } from './reading.ts';

/** A cell of a line. */
export interface Place {
  readonly line: number;
  readonly cell: number;
}

export class Cursor {
  readonly #reading: Reading;
  /** The line that is chosen. */
  line = 0;
  /** Which of its objects. */
  #object = 0;
  /** The line where the selection began. */
  #anchor: number | undefined;
  /** Where a selection from cell to cell began, and the cell of the chosen line that it goes to. */
  #from: Place | undefined;
  #cell = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  get isSelecting(): boolean {
    return this.#anchor !== undefined || this.#from !== undefined;
  }

  /** What is selected goes from cell to cell. */
  get isPart(): boolean {
    return this.#from !== undefined;
  }

  /** The cell that such a selection goes to. */
  get cell(): number {
    return this.#cell;
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
    this.letGo();
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
    this.#from = undefined;
    this.#anchor = this.#anchor === undefined ? this.line : undefined;
  }

  /** Selects from a cell of the chosen line on; from the marked object unless it is given. */
  selectPart(cell = this.target?.from ?? 0): void {
    this.#anchor = undefined;
    this.#cell = this.#within(cell);
    this.#from = { line: this.line, cell: this.#cell };
  }

  letGo(): void {
    this.#anchor = undefined;
    this.#from = undefined;
  }

  /** Selects up to another cell of the chosen line. */
  toCell(cell: number): void {
    this.#cell = this.#within(cell);
  }

  /** Selects up to the next word, or the one before. */
  toWord(direction: 1 | -1): void {
    this.#cell = this.#within(wordFrom(this.#at(this.line), this.#cell, direction));
  }

  /** Whether a line is selected. */
  selects(line: number): boolean {
    const { first, last } = this.selection;
    return this.#anchor !== undefined && line >= first && line <= last;
  }

  /** The cells of a line that are selected, as [from, to), where a part of the lines is. */
  cells(line: number): readonly [from: number, to: number] | undefined {
    if (this.#from === undefined) return undefined;
    const here = { line: this.line, cell: this.#cell };
    const isForward = here.line > this.#from.line || (here.line === this.#from.line && here.cell >= this.#from.cell);
    const [first, last] = isForward ? [this.#from, here] : [here, this.#from];
    if (line < first.line || line > last.line) return undefined;
    const from = line === first.line ? first.cell : 0;
    return [from, line === last.line ? last.cell + 1 : Number.POSITIVE_INFINITY];
  }

  /** The selected lines, or the chosen one. */
  get selection(): { readonly first: number; readonly last: number } {
    const other = this.#from?.line ?? this.#anchor ?? this.line;
    const last = Math.max(this.line, other);
    // Of a folded block all lines are meant.
    const { outline, store } = this.#reading;
    const block = outline.blockOf(last, store.end);
    const end = block.isFolded && block.start === last && this.#anchor !== undefined ? block.end - 1 : last;
    return { first: Math.min(this.line, other), last: end };
  }

  /** What is selected, or the chosen line, as it is seen. */
  get selectedText(): string {
    const { first, last } = this.selection;
    if (this.#from === undefined) return this.text(first, last);
    const lines: string[] = [];
    for (let i = first; i <= last; i++) lines.push(textBetween(this.#at(i), ...(this.cells(i) ?? [0, 0])));
    return lines.join('\n');
  }

  /** The text of lines as they are seen: what is copied cannot press keys where it is pasted. */
  text(first: number, last: number): string {
    const lines: string[] = [];
    for (let i = first; i <= last; i++) lines.push(seen(this.#at(i)));
    return lines.join('\n');
  }

  #at(line: number): Line {
    return this.#reading.store.at(line) ?? '';
  }

  #within(cell: number): number {
    return Math.max(0, Math.min(cell, cellsOf(this.#at(this.line)) - 1));
  }
}

function seen(line: Line): string {
  return textOf(line).split('\t').map(escapeControls).join('\t');
}
