/**
 * A window of cells to paint into. Text of any origin is made harmless and measured here and nowhere else: control
 * characters are written visibly, wide characters take two cells, and nothing leaves the window.
 */
import { type Line, spansOf } from '../../core/output/line.ts';
import { clustersOf, isPlain, showCluster } from '../prompt/graphemes.ts';
import type { Row } from '../prompt/rows.ts';
import type { Grid, Styles } from './cells.ts';
import type { CellWindow, Rect } from './contract.ts';
import type { Look, Theme } from './theme.ts';

/** Columns between two tab stops. */
export const TAB = 8;

export class PaintWindow implements CellWindow {
  readonly width: number;
  readonly height: number;
  readonly #grid: Grid;
  readonly #x: number;
  readonly #y: number;
  readonly #styles: Styles;
  readonly #theme: Theme;

  constructor(grid: Grid, { x, y, width, height }: Rect, styles: Styles, theme: Theme) {
    this.#grid = grid;
    this.#x = x;
    this.#y = y;
    this.width = Math.max(0, Math.min(width, grid.width - x));
    this.height = Math.max(0, Math.min(height, grid.height - y));
    this.#styles = styles;
    this.#theme = theme;
  }

  text(x: number, y: number, text: string, look?: Look): number {
    return this.#put(x, y, text, this.#style(look, undefined), 0).x;
  }

  line(x: number, y: number, line: Line, { look, from = 0 }: { look?: Look; from?: number } = {}): number {
    let [at, skip, column] = [x, from, 0];
    for (const part of spansOf(line)) {
      const [text, tone] = typeof part === 'string' ? [part, undefined] : [part.text, part.tone];
      const style = this.#style(tone, look);
      for (const [i, piece] of text.split('\t').entries()) {
        if (i > 0) {
          const blanks = TAB - (column % TAB);
          column += blanks;
          ({ x: at, skip } = this.#put(at, y, ' '.repeat(blanks), style, skip));
        }
        const put = this.#put(at, y, piece, style, skip);
        column += put.cells;
        ({ x: at, skip } = put);
      }
      if (at >= this.width) break;
    }
    return at;
  }

  row(x: number, y: number, row: Row): void {
    let at = x;
    for (const { text, style } of row.spans) at = this.text(at, y, text, style);
  }

  fill(x: number, y: number, look?: Look): void {
    if (x < this.width) this.#put(x, y, ' '.repeat(this.width - x), this.#style(look, undefined), 0);
  }

  /** `over` is laid over `look`: what it says of colour and attributes counts. */
  #style(look: Look | undefined, over: Look | undefined): number {
    const under = look === undefined ? '' : this.#theme[look];
    const above = over === undefined ? '' : this.#theme[over];
    return this.#styles.number(under !== '' && above !== '' ? `${under};${above}` : under + above);
  }

  /** Writes from column `x` on, leaving out the first `skip` cells of the text. */
  #put(x: number, y: number, text: string, style: number, skip: number): { x: number; skip: number; cells: number } {
    if (y < 0 || y >= this.height) return { x, skip, cells: 0 };
    const plain = isPlain(text);
    if (plain) {
      // Nearly all text of a kernel: a character is a cell, and what is clipped is never looked at.
      let at = x;
      for (let i = skip; i < text.length && at < this.width; i++, at++) this.#cell(at, y, text[i] as string, 1, style);
      return { x: at, skip: Math.max(0, skip - text.length), cells: text.length };
    }
    let [at, left, cells] = [x, skip, 0];
    // A line may be far longer than any screen: a cell takes at most a few characters of it.
    for (const cluster of clustersOf(text.slice(0, (this.width + skip) * CLUSTER_MAX))) {
      const shown = showCluster(cluster);
      for (const part of shown.escaped ? Array.from(shown.text) : [shown.text]) {
        const width = shown.escaped ? showCluster(part).width : shown.width;
        cells += width;
        if (left > 0) {
          left = Math.max(0, left - width);
          continue;
        }
        if (at + width > this.width) return { x: this.width, skip: 0, cells };
        this.#cell(at, y, part, width, style);
        at += width;
      }
    }
    return { x: at, skip: left, cells };
  }

  #cell(x: number, y: number, cluster: string, width: number, style: number): void {
    if (x >= 0) this.#grid.put(this.#x + x, this.#y + y, cluster, width, style);
  }
}

/** Characters of a line looked at for each cell of the window: emoji of families take more than ten. */
const CLUSTER_MAX = 12;
