/** The screen as a part of it sees it, remembering what the part asked for. */

import { render } from 'ink-testing-library';
import { memoryHistory } from '../../../src/app/prompt/history.ts';
import type { InputEvent } from '../../../src/app/prompt/keys.ts';
import { Tokenizer } from '../../../src/app/prompt/tokenizer.ts';
import { Grid, Styles } from '../../../src/app/tui/cells.ts';
import type { App, AppState, Handled, OverlayPart, Part, Rect } from '../../../src/app/tui/contract.ts';
import { PLAIN_THEME } from '../../../src/app/tui/theme.ts';
import { PaintWindow } from '../../../src/app/tui/window.ts';
import type { Completion } from '../../../src/core/command/complete.ts';
import type { Line, Ref } from '../../../src/core/output/line.ts';
import type { Search } from '../../../src/engine/search.ts';

export interface FakeApp extends App {
  state: AppState;
  /** What was asked for, as `run: ps by prompt`. */
  readonly asked: string[];
  overlay: OverlayPart | undefined;
  answer: (line: string) => readonly Line[];
  completion: Promise<Completion>;
}

export interface FakeAppOptions {
  readonly entries?: readonly string[];
  readonly search?: Partial<Search>;
}

export function fakeApp({ entries = [], search = {} }: FakeAppOptions = {}): FakeApp {
  const asked: string[] = [];
  const app: FakeApp = {
    state: {
      size: { width: 80, height: 24 },
      focus: 'prompt',
      overlay: undefined,
      selection: {},
      running: undefined,
      message: undefined,
    },
    asked,
    overlay: undefined,
    answer: () => [],
    completion: Promise.resolve({ start: 0, end: 0, candidates: [], partial: false }),
    engine: { search, opened: { liveness: 'frozen' } } as unknown as App['engine'],
    history: memoryHistory(entries),
    theme: PLAIN_THEME,
    update: (change) => {
      app.state = { ...app.state, ...change };
    },
    redraw: () => undefined,
    run: (line, by) => void asked.push(`run: ${line} by ${by}`),
    cancel: () => false,
    complete: () => app.completion,
    query: async (line) => app.answer(line),
    rows: async () => [],
    follow: (ref: Ref) => void asked.push(`follow: ${ref.kind}`),
    select: (ref: Ref) => void asked.push(`select: ${ref.kind}`),
    focus: (focus) => {
      asked.push(`focus: ${focus}`);
      app.state = { ...app.state, focus };
    },
    insert: (text) => void asked.push(`insert: ${text}`),
    open: (name, overlay) => {
      asked.push(`open: ${name}`);
      app.overlay = overlay;
    },
    close: () => {
      asked.push('close');
      app.overlay = undefined;
    },
    typeInk: (character) => void asked.push(`type: ${character}`),
    tell: (text) => void asked.push(`tell: ${text}`),
    copy: (text) => void asked.push(`copy: ${text}`),
    lend: async (work) => work(),
    quit: () => void asked.push('quit'),
  };
  return app;
}

/** Types keys, as a terminal sends them, into a part; what became of the last one. */
export function type(part: Part, keys: string): Handled | undefined {
  const tokenizer = new Tokenizer();
  const events: readonly InputEvent[] = [...tokenizer.feed(keys), ...tokenizer.flush()];
  return events.map((event) => part.handle(event)).at(-1);
}

/** The rows that a part paints, blanks at their ends dropped. */
export function painted(part: Part, width: number, height: number): readonly string[] {
  const drawing = part.draw({ width, height });
  if (drawing.kind !== 'cells') throw new Error('the part is drawn by ink');
  const grid = new Grid({ width, height });
  const rect: Rect = { x: 0, y: 0, width, height };
  drawing.paint(new PaintWindow(grid, rect, new Styles(), PLAIN_THEME));
  return grid.rows().map((row) => row.trimEnd());
}

/** Lets what was asked for be answered. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** The rows that a part draws by ink, without their looks. */
export function drawn(part: Part, width: number, height: number): readonly string[] {
  const drawing = part.draw({ width, height });
  if (drawing.kind !== 'ink') throw new Error('the part paints cells');
  const { lastFrame, unmount } = render(drawing.element);
  const frame = (lastFrame() ?? '').replaceAll(/\x1b\[[\d;]*m/g, '');
  unmount();
  return frame.split('\n').map((row) => row.trimEnd());
}
