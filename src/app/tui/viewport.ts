/**
 * A window over any number of lines, outside React: where it stands, which line is chosen and which object in it. Lines
 * may come while it is looked at; `follow` keeps it at the end.
 */
import { type Line, type Ref, spansOf, textOf } from '../../core/output/line.ts';
import { isPlain, showText } from '../prompt/graphemes.ts';
import type { CellWindow } from './contract.ts';
import { findSqueeze, type Squeeze, squeezed } from './squeeze.ts';
import type { Look } from './theme.ts';
import { TAB } from './window.ts';

/** An object in a line: where its text is, in cells, and what it is. */
export interface Target {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly ref: Ref;
}

/** The objects in a line, from left to right. */
export function targetsOf(line: Line): readonly Target[] {
  const targets: Target[] = [];
  let at = 0;
  for (const part of spansOf(line)) {
    const text = typeof part === 'string' ? part : part.text;
    const end = endOf(at, text);
    const last = targets.at(-1);
    if (typeof part !== 'string' && part.ref !== undefined && last?.ref === part.ref && last.to === at) {
      // A name in pieces: some letters of it stand out.
      targets[targets.length - 1] = { ...last, to: end, text: last.text + text };
    } else if (typeof part !== 'string' && part.ref !== undefined && text.trim() !== '') {
      const from = endOf(at, text.slice(0, text.length - text.trimStart().length));
      targets.push({ from, to: endOf(from, text.trim()), text: text.trim(), ref: part.ref });
    }
    at = end;
  }
  return targets;
}

/** The cell behind a text that begins at a cell of its line. */
function endOf(start: number, text: string): number {
  if (isPlain(text)) return start + text.length;
  return text
    .split('\t')
    .reduce((at, piece, i) => (i === 0 ? at : at + TAB - (at % TAB)) + showText(piece).width, start);
}

/** Cells that scrolling to the side passes at once. */
const SIDE = 8;

export class Viewport {
  readonly #squeezes: boolean;
  #all: Line[] = [];
  /** Those that the filter leaves; all of them, the same array, without one. */
  #lines: Line[] = this.#all;
  #filter: ((text: string) => boolean) | undefined;
  /** Rows of the window; before it was painted the first time, as if all were seen. */
  #height = Number.MAX_SAFE_INTEGER;
  #width = 0;
  /** Blank columns that are left out, as long as neither the lines nor the width are others. */
  #squeeze: Squeeze;
  #isMeasured = false;
  /** The first line shown. */
  top = 0;
  /** The line that is chosen. */
  chosen = 0;
  /** Which of its objects is chosen. */
  object = 0;
  /** Cells scrolled to the side. */
  left = 0;
  /** New lines are shown as they come. */
  follows = false;

  /** `squeezes`: tables that are too wide lose blanks (squeeze.ts). */
  constructor(squeezes = false) {
    this.#squeezes = squeezes;
  }

  get length(): number {
    return this.#lines.length;
  }

  /** Lines before the filter. */
  get total(): number {
    return this.#all.length;
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  get line(): Line | undefined {
    return this.#lines[this.chosen];
  }

  get target(): Target | undefined {
    const targets = this.#targets();
    return targets[Math.min(this.object, targets.length - 1)];
  }

  /** Other lines in the place of all; the choice stays at its place as far as there is one. */
  replace(lines: readonly Line[]): void {
    this.#all = [...lines];
    this.#isMeasured = false;
    this.#refilter();
  }

  /** Other lines, among them one that is chosen and stays in its row. False when it is not there. */
  replaceAround(line: Line | undefined, lines: readonly Line[]): boolean {
    const row = this.chosen - this.top;
    this.replace(lines);
    // Equal texts are no objects of their own.
    const at = typeof line === 'object' ? this.#lines.indexOf(line) : -1;
    if (at < 0) return false;
    this.chosen = at;
    this.top = Math.max(0, at - row);
    return true;
  }

  /** Scrolls so that as many lines below the chosen one are seen as there is room for. */
  showBelow(count: number): void {
    this.top = Math.min(this.chosen, Math.max(this.top, this.chosen + count + 1 - this.#height));
  }

  append(lines: readonly Line[]): void {
    const filter = this.#filter;
    for (const line of lines) this.#all.push(line);
    if (filter !== undefined) for (const line of lines) if (filter(textOf(line))) this.#lines.push(line);
    this.#clamp();
  }

  /** Shows only lines that the filter takes; undefined shows all. */
  filter(filter: ((text: string) => boolean) | undefined): void {
    this.#filter = filter;
    this.#refilter();
  }

  /** Chooses a line, within what there is, and shows it. */
  choose(index: number): void {
    const next = Math.max(0, Math.min(index, this.#lines.length - 1));
    if (next !== this.chosen) this.object = 0;
    this.chosen = next;
    this.follows = this.follows && next >= this.#lines.length - 1;
    this.#reveal();
  }

  /** Chooses a line and shows it amid the others. */
  show(index: number): void {
    this.top = Math.max(0, Math.min(index - (this.#height >> 1), this.#lines.length - this.#height));
    this.choose(index);
  }

  move(by: number): void {
    this.choose(this.chosen + by);
  }

  /** The window goes on by a page, and the choice with it. */
  page(direction: 1 | -1): void {
    const by = direction * Math.max(1, this.#height - 1);
    this.top = Math.max(0, Math.min(this.top + by, this.#lines.length - this.#height));
    this.move(by);
  }

  /** Scrolls without choosing, as the wheel does; the choice stays in sight. */
  scroll(by: number): void {
    this.top = Math.max(0, Math.min(this.top + by, Math.max(0, this.#lines.length - this.#height)));
    this.follows = this.follows && this.top >= this.#lines.length - this.#height;
    const next = Math.max(this.top, Math.min(this.chosen, this.top + this.#height - 1));
    if (next !== this.chosen) this.object = 0;
    this.chosen = next;
  }

  /** The next object of the line, or further to the side where there is none. False when nothing moved. */
  side(direction: 1 | -1): boolean {
    const targets = this.#targets();
    const next = this.object + direction;
    if (next >= 0 && next < targets.length) {
      this.object = next;
      return true;
    }
    const left = Math.max(0, this.left + direction * SIDE);
    const moved = left !== this.left;
    this.left = left;
    return moved;
  }

  /** The line whose text matches, from the chosen one on, round the ends. */
  search(matches: (text: string) => boolean, direction: 1 | -1): boolean {
    const count = this.#lines.length;
    for (let i = 1; i <= count; i++) {
      const at = (this.chosen + direction * i + count * 2) % count;
      if (!matches(textOf(this.#lines[at] as Line))) continue;
      this.choose(at);
      return true;
    }
    return false;
  }

  /** Chooses what is at a cell of the window; the object under it, if one is. */
  point(x: number, y: number): boolean {
    const index = this.top + y;
    const line = this.#at(index);
    if (line === undefined) return false;
    this.choose(index);
    const at = targetsOf(line).findIndex(({ from, to }) => x + this.left >= from && x + this.left < to);
    if (at >= 0) this.object = at;
    return at >= 0;
  }

  /** Paints into the first `height` rows. */
  paint(window: CellWindow, focused: boolean, height = window.height): void {
    this.#height = Math.max(1, height);
    this.#measure(window.width);
    if (this.follows) {
      this.chosen = Math.max(0, this.#lines.length - 1);
      this.top = Math.max(0, this.#lines.length - this.#height);
    }
    this.#clamp();
    this.#reveal();
    for (let y = 0; y < height; y++) {
      const line = this.#at(this.top + y);
      if (line === undefined) break;
      const isChosen = this.top + y === this.chosen;
      const look: Look | undefined = isChosen ? (focused ? 'cursor-line' : 'cursor-line-idle') : undefined;
      const end = window.line(0, y, line, { from: this.left, ...(look === undefined ? {} : { look }) });
      if (!isChosen) continue;
      window.fill(end, y, look);
      if (focused) this.#paintTarget(window, y, line);
    }
  }

  #targets(): readonly Target[] {
    const line = this.#at(this.chosen);
    return line === undefined ? [] : targetsOf(line);
  }

  /** The line as it is shown. */
  #at(index: number): Line | undefined {
    const line = this.#lines[index];
    return line === undefined ? undefined : squeezed(line, this.#squeeze);
  }

  #measure(width: number): void {
    if (!this.#squeezes || (this.#isMeasured && width === this.#width)) return;
    this.#isMeasured = true;
    this.#width = width;
    this.#squeeze = findSqueeze(this.#all, width);
  }

  #paintTarget(window: CellWindow, y: number, line: Line): void {
    const targets = targetsOf(line);
    const target = targets[Math.min(this.object, targets.length - 1)];
    if (target === undefined) return;
    const hidden = Math.max(0, this.left - target.from);
    window.text(target.from - this.left + hidden, y, target.text.slice(hidden), 'cursor-ref');
  }

  #refilter(): void {
    const { follows } = this;
    const filter = this.#filter;
    this.#lines = filter === undefined ? this.#all : this.#all.filter((line) => filter(textOf(line)));
    this.follows = follows;
    this.#clamp();
  }

  #clamp(): void {
    this.chosen = Math.max(0, Math.min(this.chosen, this.#lines.length - 1));
    this.top = Math.max(0, Math.min(this.top, this.#lines.length - 1));
  }

  #reveal(): void {
    if (this.chosen < this.top) this.top = this.chosen;
    else if (this.chosen >= this.top + this.#height) this.top = this.chosen - this.#height + 1;
  }
}
