/**
 * A frame as ink writes it (whole, with SGR sequences, lines separated by line feeds) as cells. Only lines that differ
 * from the frame before are read again.
 */
import { clustersOf, isPlain, showCluster } from '../prompt/graphemes.ts';
import { Grid, type Styles } from './cells.ts';
import type { Size } from './contract.ts';

export class FrameReader {
  readonly #styles: Styles;
  /** Colours are dropped: NO_COLOR, whatever the components ask for. */
  readonly #plain: boolean;
  #grid: Grid | undefined;
  #lines: readonly string[] = [];

  constructor(styles: Styles, plain: boolean) {
    this.#styles = styles;
    this.#plain = plain;
  }

  /** The frame's cells within `size`. The grid belongs to the reader and changes with the next frame. */
  read(frame: string, size: Size): Grid {
    const lines = frame.split('\n', size.height);
    let grid = this.#grid;
    if (grid === undefined || grid.width !== size.width || grid.height !== size.height) {
      grid = new Grid(size);
      this.#lines = [];
    }
    for (let y = 0; y < size.height; y++) {
      const line = lines[y] ?? '';
      if (line !== this.#lines[y]) this.#readLine(grid, y, line);
    }
    this.#grid = grid;
    this.#lines = lines;
    return grid;
  }

  #readLine(grid: Grid, y: number, line: string): void {
    let x = 0;
    let pen = PLAIN_PEN;
    let style = 0;
    // Between sequences stands text; whatever else begins with ESC is dropped.
    for (const part of line.split(/(\x1b\[[0-9;:]*m|\x1b\[[0-9;?]*[A-Za-z]|\x1b.)/)) {
      if (part.startsWith('\x1b')) {
        if (part.endsWith('m')) {
          pen = afterSgr(pen, part.slice(2, -1));
          style = this.#styles.number(sgrOf(pen, this.#plain));
        }
        continue;
      }
      for (const cluster of isPlain(part) ? part : clustersOf(part)) {
        const shown = showCluster(cluster);
        if (x + shown.width > grid.width) break;
        if (shown.escaped) for (const character of shown.text) grid.put(x++, y, character, 1, style);
        else {
          grid.put(x, y, cluster, shown.width, style);
          x += shown.width;
        }
      }
    }
    for (; x < grid.width; x++) grid.put(x, y, ' ', 1, 0);
  }
}

/** What SGR sequences have set: parameters by what they are about. */
interface Pen {
  readonly foreground: string;
  readonly background: string;
  /** Attribute numbers that are on, in order. */
  readonly attributes: readonly number[];
}

const PLAIN_PEN: Pen = { foreground: '', background: '', attributes: [] };
/** Each number that ends attributes, and those it ends. */
const ENDS: Readonly<Record<number, readonly number[]>> = { 22: [1, 2], 23: [3], 24: [4], 25: [5], 27: [7], 29: [9] };

function afterSgr(before: Pen, text: string): Pen {
  const numbers = text === '' ? [0] : text.split(/[;:]/).map(Number);
  let pen = before;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    const colours = number % 10 === 8 && number < 50 ? colourLength(numbers, i) : 1;
    const colour = numbers.slice(i, i + colours).join(';');
    i += colours - 1;
    if (number === 0) pen = PLAIN_PEN;
    else if (number === 39) pen = { ...pen, foreground: '' };
    else if (number === 49) pen = { ...pen, background: '' };
    else if ((number >= 30 && number <= 38) || (number >= 90 && number <= 97)) pen = { ...pen, foreground: colour };
    else if ((number >= 40 && number <= 48) || (number >= 100 && number <= 107)) pen = { ...pen, background: colour };
    else if (ENDS[number] !== undefined) {
      const ended = ENDS[number];
      pen = { ...pen, attributes: pen.attributes.filter((each) => !ended.includes(each)) };
    } else if (number <= 9 && !pen.attributes.includes(number)) {
      pen = { ...pen, attributes: [...pen.attributes, number].sort() };
    }
  }
  return pen;
}

/** `38;5;N` and `38;2;R;G;B`. */
function colourLength(numbers: readonly number[], at: number): number {
  return numbers[at + 1] === 5 ? 3 : 5;
}

function sgrOf({ foreground, background, attributes }: Pen, plain: boolean): string {
  const colours = plain ? [] : [foreground, background];
  return [...attributes.map(String), ...colours].filter((part) => part !== '').join(';');
}
