/**
 * The one writer of the screen. Parts are drawn into grids of their own, by ink or by painting cells, and only when
 * something changed; the grids are laid over one another, and what differs from what the terminal shows is written in
 * one piece within a synchronised update (DEC private mode 2026, which terminals that do not know it ignore).
 */

import type { ReactElement } from 'react';
import { toAscii } from './ascii.ts';
import { difference, Grid, Styles } from './cells.ts';
import type { Part, Point, Rect, Size } from './contract.ts';
import { FrameReader } from './frame.ts';
import { InkRoot } from './ink-root.ts';
import { PLAIN_THEME, type Theme } from './theme.ts';
import { PaintWindow } from './window.ts';

/** Where a part stands in this frame, from the lowest to the uppermost. */
export interface Placed {
  readonly part: Part;
  readonly rect: Rect;
}

export interface Frame {
  readonly size: Size;
  readonly placed: readonly Placed[];
  /** Where the terminal's cursor is; undefined hides it. */
  readonly cursor: Point | undefined;
}

/** How everything looks. */
export interface Appearance {
  readonly theme: Theme;
  /** The terminal shows more than ASCII. */
  readonly isUnicode: boolean;
}

/** What a part drew last. */
interface Surface {
  grid: Grid;
  root: InkRoot | undefined;
  readonly reader: FrameReader;
  isStale: boolean;
}

const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

export class Compositor {
  readonly styles = new Styles();
  readonly #theme: Theme;
  readonly #isUnicode: boolean;
  readonly #onInk: () => void;
  readonly #surfaces = new Map<Part, Surface>();
  #shown: Grid | undefined;
  #spare: Grid | undefined;
  #cursor = '';
  #isDrawing = false;

  /** `onInk` is called when a component changed by itself, or may take another key. */
  constructor({ theme, isUnicode }: Appearance, onInk: () => void) {
    this.#theme = theme;
    this.#isUnicode = isUnicode;
    this.#onInk = onInk;
  }

  /** The cells that the terminal shows. */
  get shown(): Grid | undefined {
    return this.#shown;
  }

  /** The part is drawn anew with the next frame. */
  redraw(part: Part): void {
    const surface = this.#surfaces.get(part);
    if (surface !== undefined) surface.isStale = true;
  }

  /** The terminal shows something else by now: everything is written with the next frame. */
  forget(): void {
    this.#shown = undefined;
    this.#cursor = '';
  }

  /** A part that is gone for good. */
  drop(part: Part): void {
    this.#surfaces.get(part)?.root?.close();
    this.#surfaces.delete(part);
  }

  /** Whether a part was drawn and its ink components, if it has any, have taken all keys. */
  isReady(part: Part): boolean {
    const surface = this.#surfaces.get(part);
    return surface !== undefined && (surface.root === undefined || surface.root.isReady);
  }

  /** Hands a key to the ink components of a part. */
  type(part: Part, raw: string): void {
    this.#surfaces.get(part)?.root?.type(raw);
  }

  close(): void {
    for (const part of [...this.#surfaces.keys()]) this.drop(part);
  }

  /** The bytes that show a frame; empty when the terminal shows it already. */
  render({ size, placed, cursor }: Frame): string {
    let next = this.#spare;
    if (next === undefined || next.width !== size.width || next.height !== size.height) next = new Grid(size);
    else next.clear();
    for (const { part, rect } of placed) {
      if (rect.width > 0 && rect.height > 0) next.copy(this.#draw(part, rect), rect);
    }
    if (!this.#isUnicode) toAscii(next);
    const cells = difference(this.#shown, next, this.styles);
    this.#spare = this.#shown;
    this.#shown = next;
    const at = cursor === undefined ? '\x1b[?25l' : `\x1b[${cursor.y + 1};${cursor.x + 1}H\x1b[?25h`;
    if (cells === '' && at === this.#cursor) return '';
    this.#cursor = at;
    // A cursor that runs over the screen while cells are written would be seen where 2026 is not known.
    return cells === '' ? at : `${BEGIN}\x1b[?25l${cells}${at}${END}`;
  }

  #draw(part: Part, { width, height }: Rect): Grid {
    const surface = this.#surfaceOf(part, { width, height });
    if (surface.grid.width !== width || surface.grid.height !== height) {
      surface.grid = new Grid({ width, height });
      surface.isStale = true;
    }
    if (!surface.isStale) return surface.grid;
    surface.isStale = false;
    const drawing = part.draw({ width, height });
    if (drawing.kind === 'cells') {
      surface.grid.clear();
      const rect = { x: 0, y: 0, width, height };
      drawing.paint(new PaintWindow(surface.grid, rect, this.styles, this.#theme));
      return surface.grid;
    }
    this.#isDrawing = true;
    const size = { width, height };
    if (surface.root === undefined) surface.root = this.#openRoot(part, drawing.element, size);
    else surface.root.render(drawing.element, size);
    this.#isDrawing = false;
    surface.grid = surface.reader.read(surface.root.frame, size);
    return surface.grid;
  }

  #openRoot(part: Part, element: ReactElement, size: Size): InkRoot {
    return new InkRoot(element, size, { onFrame: () => this.#inkChanged(part), onReady: () => this.#onInk() });
  }

  #surfaceOf(part: Part, size: Size): Surface {
    const known = this.#surfaces.get(part);
    if (known !== undefined) return known;
    const reader = new FrameReader(this.styles, this.#theme === PLAIN_THEME);
    const surface: Surface = { grid: new Grid(size), root: undefined, reader, isStale: true };
    this.#surfaces.set(part, surface);
    return surface;
  }

  #inkChanged(part: Part): void {
    if (this.#isDrawing) return;
    this.redraw(part);
    this.#onInk();
  }
}
