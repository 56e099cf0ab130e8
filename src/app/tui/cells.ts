/**
 * The screen as a grid of cells, and the bytes that turn one grid into another. A cell holds one cluster of text and a
 * style; the second cell of a wide cluster is empty. Styles are SGR parameters, interned as small numbers so that
 * comparing two screens of 12,000 cells takes a tenth of a millisecond.
 */
import type { Point, Size } from './contract.ts';

/** SGR parameters as numbers: 0 is plain. Shared by all grids of one screen. */
export class Styles {
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #sgr: string[] = [''];

  number(sgr: string): number {
    const known = this.#numbers.get(sgr);
    if (known !== undefined) return known;
    // Sequences come from a few themes and from ink; more than this is a fault, and plain text then.
    if (this.#sgr.length >= 0xffff) return 0;
    this.#numbers.set(sgr, this.#sgr.length);
    return this.#sgr.push(sgr) - 1;
  }

  sgr(number: number): string {
    return this.#sgr[number] ?? '';
  }
}

const BLANK = ' ';

export class Grid implements Size {
  readonly width: number;
  readonly height: number;
  /** Clusters, row by row; empty behind a wide one. */
  readonly text: string[];
  readonly style: Uint16Array;

  constructor({ width, height }: Size) {
    this.width = width;
    this.height = height;
    this.text = new Array<string>(width * height).fill(BLANK);
    this.style = new Uint16Array(width * height);
  }

  clear(): void {
    this.text.fill(BLANK);
    this.style.fill(0);
  }

  /** Sets a cluster of one or two cells. What half a wide cluster stood there before goes wholly. */
  put(x: number, y: number, cluster: string, width: number, style: number): void {
    const at = y * this.width + x;
    if (this.text[at] === '' && x > 0) this.text[at - 1] = BLANK;
    const last = at + width - 1;
    if (x + width < this.width && this.text[last + 1] === '') this.text[last + 1] = BLANK;
    this.text[at] = cluster;
    this.style[at] = style;
    if (width === 2) {
      this.text[at + 1] = '';
      this.style[at + 1] = style;
    }
  }

  /** Copies a grid to where its first cell is to stand; what does not fit is left out. */
  copy(from: Grid, { x, y }: Point): void {
    const width = Math.min(from.width, this.width - x);
    const height = Math.min(from.height, this.height - y);
    for (let row = 0; row < height; row++) {
      const source = row * from.width;
      const target = (y + row) * this.width + x;
      for (let i = 0; i < width; i++) this.text[target + i] = from.text[source + i] as string;
      this.style.set(from.style.subarray(source, source + width), target);
    }
  }

  /** The text of each row, for tests and pictures. */
  rows(): readonly string[] {
    return Array.from({ length: this.height }, (_, y) =>
      this.text.slice(y * this.width, (y + 1) * this.width).join(''),
    );
  }
}

/** Cells that are written again although they did not change, rather than moved over: a movement takes 4 to 8 bytes. */
const GAP = 4;

/** The bytes that turn `last` (undefined: an unknown screen) into `next`. Empty when nothing changed. */
export function difference(last: Grid | undefined, next: Grid, styles: Styles): string {
  const { width, height } = next;
  const whole = last === undefined || last.width !== width || last.height !== height;
  let out = whole ? '\x1b[m\x1b[2J' : '';
  let style = 0;
  for (let y = 0; y < height; y++) {
    const start = y * width;
    let x = 0;
    while (x < width) {
      if (!changed(last, next, start + x, whole)) {
        x++;
        continue;
      }
      // A wide cluster is written from its first cell.
      if (next.text[start + x] === '' && x > 0) x--;
      const end = runEnd(last, next, start, x, whole);
      out += `\x1b[${y + 1};${x + 1}H`;
      for (; x < end; x++) {
        const at = start + x;
        if (next.style[at] !== style) {
          style = next.style[at] as number;
          out += style === 0 ? '\x1b[m' : `\x1b[0;${styles.sgr(style)}m`;
        }
        out += next.text[at];
      }
    }
  }
  return style === 0 ? out : `${out}\x1b[m`;
}

function changed(last: Grid | undefined, next: Grid, at: number, whole: boolean): boolean {
  if (whole) return next.text[at] !== BLANK || next.style[at] !== 0;
  return last?.text[at] !== next.text[at] || last?.style[at] !== next.style[at];
}

/** Where the run of cells to write ends: after the last changed one before a gap that is worth moving over. */
function runEnd(last: Grid | undefined, next: Grid, start: number, from: number, whole: boolean): number {
  let end = from + 1;
  for (let x = end; x < next.width && x - end < GAP; x++) {
    // Behind what terminals may measure differently the column is set anew.
    if (!isCertain(next.text[start + x - 1] as string)) {
      return next.text[start + x] === '' ? x + 1 : x;
    }
    if (changed(last, next, start + x, whole)) end = x + 1;
  }
  return end;
}

/** Whether every terminal gives the cluster the same width. */
function isCertain(cluster: string): boolean {
  return cluster.length === 1 && (cluster.charCodeAt(0) < 0x7f || isFrame(cluster.charCodeAt(0)));
}

/** Box drawing, blocks and the arrows and marks that the screen itself uses. */
function isFrame(code: number): boolean {
  return code >= 0x2500 && code <= 0x259f;
}
