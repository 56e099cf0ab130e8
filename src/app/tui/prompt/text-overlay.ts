/**
 * A text over the screen, framed, that is paged through and closed again.
 */
import { type Line, textOf } from '../../../core/output/line.ts';
import { chordOf, type InputEvent } from '../../prompt/keys.ts';
import type { App, CellWindow, Drawing, Handled, KeyHelp, OverlayPart, Rect, Size } from '../contract.ts';

export interface TextOverlayOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Shown from the first line that this matches on. */
  readonly find?: RegExp | undefined;
}

const WIDTH = 88;
/** Rows and columns of the frame. */
const FRAME = 2;

export function textOverlay(app: App, { title, lines, find }: TextOverlayOptions): OverlayPart {
  let top =
    find === undefined
      ? 0
      : Math.max(
          0,
          lines.findIndex((line) => find.test(textOf(line))),
        );
  let height = 1;
  const scroll = (by: number): void => {
    top = Math.max(0, Math.min(top + by, lines.length - height));
  };
  const paint = (window: CellWindow): void => {
    height = Math.max(1, window.height - FRAME);
    scroll(0);
    paintFrame(
      window,
      ` ${title} `,
      `${top + 1}-${Math.min(top + height, lines.length)} of ${lines.length}  Esc closes `,
    );
    for (const [y, line] of lines.slice(top, top + height).entries()) {
      // The frame's right side is drawn over what is too long.
      window.line(2, y + 1, line);
      window.text(window.width - 2, y + 1, ' ');
      window.text(window.width - 1, y + 1, '\u2502', 'border');
    }
  };
  return {
    place({ width, height: rows }: Size): Rect {
      const size = { width: Math.min(WIDTH, width - 2), height: Math.min(lines.length + FRAME, rows - 2) };
      return { x: Math.floor((width - size.width) / 2), y: Math.floor((rows - size.height) / 2), ...size };
    },
    draw: (): Drawing => ({ kind: 'cells', paint }),
    handle(event: InputEvent): Handled {
      if (event.kind === 'mouse') {
        if (event.action === 'wheel-up') scroll(-3);
        if (event.action === 'wheel-down') scroll(3);
        return 'taken';
      }
      if (event.kind !== 'key') return 'taken';
      const rows = movement(chordOf(event), height, lines.length);
      if (rows !== undefined) scroll(rows);
      else if (CLOSING.has(chordOf(event))) app.close();
      return 'taken';
    },
    keys: (): readonly KeyHelp[] => [
      { keys: 'up down page-up page-down', description: 'scroll' },
      { keys: 'escape q enter', description: 'close' },
    ],
  };
}

const CLOSING: ReadonlySet<string> = new Set(['escape', 'q', 'enter', 'ctrl-c', 'ctrl-g', 'f1', '?']);

/** Rows that a key scrolls. */
function movement(chord: string, page: number, all: number): number | undefined {
  const rows: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    'page-up': -page,
    b: -page,
    'page-down': page,
    space: page,
    home: -all,
    g: -all,
    end: all,
    G: all,
  };
  return rows[chord];
}

/** A frame with a title above and a remark below. */
export function paintFrame(window: CellWindow, title: string, remark: string): void {
  const { width, height } = window;
  const across = '\u2500'.repeat(Math.max(0, width - 2));
  window.text(0, 0, `\u250c${across}\u2510`, 'border');
  for (let y = 1; y < height - 1; y++) {
    window.text(0, y, '\u2502', 'border');
    window.text(width - 1, y, '\u2502', 'border');
  }
  window.text(0, height - 1, `\u2514${across}\u2518`, 'border');
  window.text(2, 0, title, 'title-focus');
  if (remark.length < width - 4) window.text(width - remark.length - 2, height - 1, remark, 'dim');
}
