/**
 * What is to be seen: each part with its rectangle, and where the cursor is.
 */
import type { Frame, Placed } from './compositor.ts';
import type { Part, Point, Rect } from './contract.ts';
import type { Host } from './host.ts';

/** Rows of the shell that stay for the scrollback when the prompt grows: its title and a few lines. */
const SCROLLBACK_LEAST = 3;
/** Below this the panes and the prompt cannot be told apart any more. */
const LEAST_WIDTH = 40;
const LEAST_HEIGHT = 10;

/** The rectangle below the title of a leaf. */
export function inside({ x, y, width, height }: Rect): Rect {
  return { x, y: y + 1, width, height: Math.max(0, height - 1) };
}

/** The shell's rectangle divided: the scrollback above, the prompt's rows below. */
export function shellRects(shell: Rect, host: Pick<Host, 'prompt'>): { scrollback: Rect; prompt: Rect } {
  const room = inside(shell);
  const most = Math.max(1, room.height - SCROLLBACK_LEAST);
  const rows = Math.max(1, Math.min(most, host.prompt.rows(room.width, most)));
  return {
    scrollback: { ...room, height: room.height - rows },
    prompt: { ...room, y: room.y + room.height - rows, height: rows },
  };
}

export function frameOf(host: Host): Frame {
  const { size, focus } = host.state;
  if (size.width < LEAST_WIDTH || size.height < LEAST_HEIGHT) {
    return { size, placed: [{ part: TOO_SMALL, rect: { x: 0, y: 0, ...size } }], cursor: undefined };
  }
  const placed: Placed[] = [{ part: host.chrome, rect: { x: 0, y: 0, ...size } }];
  let cursor: Point | undefined;
  const place = (part: Part, rect: Rect, hasKeys: boolean): void => {
    placed.push({ part, rect });
    const at = hasKeys ? part.cursor?.(rect) : undefined;
    if (at !== undefined) cursor = { x: rect.x + Math.min(at.x, rect.width - 1), y: rect.y + at.y };
  };
  for (const [name, rect] of host.desk.arrangement.leaves) {
    if (name !== 'shell') place(host.desk.pane(name), inside(rect), focus === name && host.overlay === undefined);
    else {
      const rects = shellRects(rect, host);
      place(host.scrollback, rects.scrollback, focus === 'scrollback' && host.overlay === undefined);
      place(host.prompt, rects.prompt, focus === 'prompt' && host.overlay === undefined);
    }
  }
  if (host.overlay !== undefined) place(host.overlay, clipped(host.overlay.place(size), size), true);
  return { size, placed, cursor };
}

function clipped({ x, y, width, height }: Rect, size: { width: number; height: number }): Rect {
  const left = Math.max(0, Math.min(x, size.width - 1));
  const top = Math.max(0, Math.min(y, size.height - 1));
  return { x: left, y: top, width: Math.min(width, size.width - left), height: Math.min(height, size.height - top) };
}

const TOO_SMALL: Part = {
  draw: () => ({
    kind: 'cells',
    paint: (window) => window.text(0, 0, `kdbg needs ${LEAST_WIDTH}x${LEAST_HEIGHT} cells`, 'warn'),
  }),
  handle: () => 'passed',
};
