/**
 * What the parts of the screen and the screen itself say to one another. The screen (host.ts) owns the terminal, the
 * layout, the panes and the engine's time; the prompt, the scrollback, the palette and every overlay are parts of it.
 *
 * A part draws itself in one of two ways: as a React element, which ink renders into the rectangle that the part is
 * given (each part has an ink root of its own, so that a keystroke renders three rows and not the whole screen), or by
 * painting cells, for what scrolls and streams. Parts hold their state outside React; after a change they call
 * `app.redraw`, and the screen draws them with the next flush.
 *
 * host.ts mounts `openLinePart(app)` of prompt/line-part.tsx, `openScrollback(app)` of scrollback/scrollback-part.ts and
 * `openPalette(app)` of palette/palette-part.tsx, the last on Ctrl-P from a pane or an empty prompt.
 */
import type { ReactElement } from 'react';
import type { Completion } from '../../core/command/complete.ts';
import type { Line, Ref } from '../../core/output/line.ts';
import type { EngineClient } from '../../engine/client.ts';
import type { History } from '../prompt/history.ts';
import type { InputEvent } from '../prompt/keys.ts';
import type { Row } from '../prompt/rows.ts';
import type { Look, Theme } from './theme.ts';

/** Cells of the terminal. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle of cells; `x` and `y` are 0-based. */
export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const PANE_NAMES = ['tasks', 'stacks', 'trace', 'symbols', 'locks', 'log', 'notes', 'walk', 'lesson'] as const;
export type PaneName = (typeof PANE_NAMES)[number];

/** What has the keys. An overlay, where one is open, has them before. */
export type Focus = 'prompt' | 'scrollback' | PaneName;

/** What is selected, for all panes alike: choosing a task in one shows its stack in another. */
export interface Selection {
  readonly task?: { readonly task?: bigint; readonly pid: number; readonly comm?: string };
  readonly frame?: { readonly task: bigint; readonly index: number };
  readonly symbol?: { readonly name: string; readonly address: bigint };
  readonly lock?: { readonly address: bigint; readonly lock: string };
  /** Seconds since boot. */
  readonly time?: number;
}

/** The line that runs. */
export interface Running {
  readonly line: string;
  /** `performance.now()` of its start. */
  readonly since: number;
  /** Lines it has printed so far. */
  readonly lines: number;
  /** How much of its work is done, from 0 to 1, and the milliseconds that the rest will take; where that is known. */
  readonly done?: number | undefined;
  readonly leftMs?: number | undefined;
}

/** What is known about the screen; a value, replaced as a whole by `update`. */
export interface AppState {
  readonly size: Size;
  readonly focus: Focus;
  readonly overlay: string | undefined;
  readonly selection: Selection;
  readonly running: Running | undefined;
  /** One line for the user in the bottom row: why a key did nothing, which command a key stands for. */
  readonly message: { readonly text: string; readonly look: Look } | undefined;
}

/** The window of cells that a part paints into; what does not fit is clipped, and no text can leave it. */
export interface CellWindow extends Size {
  /** Text of any origin: escaped, measured, clipped. Returns the column behind it. */
  text(x: number, y: number, text: string, look?: Look): number;
  /** A line of output from its cell `from` on; `look` is laid over the tones of its spans. Returns the column behind. */
  line(x: number, y: number, line: Line, options?: { readonly look?: Look; readonly from?: number }): number;
  /** A row of the line editor's view. */
  row(x: number, y: number, row: Row): void;
  /** Blanks from `x` to the window's edge, in a look. */
  fill(x: number, y: number, look?: Look): void;
}

/** What a part shows in the rectangle that it was given. */
export type Drawing =
  | { readonly kind: 'ink'; readonly element: ReactElement }
  | { readonly kind: 'cells'; readonly paint: (window: CellWindow) => void };

/**
 * What became of an event: taken; not for this part; or to be typed into the ink components of the part's element
 * (ink-text-input), one key at a time, as that needs.
 */
export type Handled = 'taken' | 'passed' | 'ink';

export interface Part {
  draw(size: Size): Drawing;
  /** Where the terminal's cursor is within the rectangle, when this part has the keys; undefined hides it. */
  cursor?(size: Size): Point | undefined;
  /** Keys and pastes; mouse events with `x` and `y` relative to the rectangle. */
  handle(event: InputEvent): Handled;
  /** The keys that the part knows now, for `?`. */
  keys?(): readonly KeyHelp[];
}

/** A row of the help on keys. */
export interface KeyHelp {
  readonly keys: string;
  readonly description: string;
  /** Why it does nothing now. */
  readonly reason?: string | undefined;
}

/** The prompt's line: below the scrollback, as many rows as it wants. */
export interface PromptPart extends Part {
  /** Rows that it wants at this width, `most` at most: the line, a complaint, the completion menu. */
  rows(width: number, most: number): number;
  /** True while nothing is typed: keys that would type may then mean something else. */
  readonly isEmpty: boolean;
  /** Puts a line in the place of what is typed, the cursor behind it. */
  setLine(text: string): void;
  /** Inserts at the cursor. */
  insert(text: string): void;
  /** A line that was run from elsewhere enters the history. */
  remember(line: string): void;
}

/** What was printed so far, above the prompt. */
export interface ScrollbackPart extends Part {
  /** A line that was run, as it was typed; what follows is its output. */
  command(line: string, by: RunBy): void;
  append(lines: readonly Line[]): void;
  /** Lines of kdbg's own: errors, remarks. */
  say(lines: readonly Line[]): void;
  /**
   * Scrolls by rows, negative to older ones, Infinity to the end; for wheel and paging keys that arrive while the prompt
   * has the keys.
   */
  scroll(rows: number): void;
  /** Opens its search prompt (`/`). */
  search(): void;
}

/** An overlay: drawn above everything, has all keys while it is open; closes itself with `app.close`. */
export interface OverlayPart extends Part {
  /** The rectangle that it wants. */
  place(screen: Size): Rect;
}

/** Who ran a line: typed, chosen in the palette, or the equivalent of a key or click. */
export type RunBy = 'prompt' | 'palette' | 'key';

/** The screen as its parts see it. */
export interface App {
  readonly state: AppState;
  readonly engine: EngineClient;
  readonly history: History;
  /** For what ink draws (tint.tsx); cells take looks. */
  readonly theme: Theme;
  /** Replaces fields of the state, and draws what depends on it. */
  update(change: Partial<AppState>): void;
  /** The part must be drawn again. */
  redraw(part: Part): void;

  /** Runs a line as the user's: echo and output go to the scrollback, the line into the history. Queued while one runs. */
  run(line: string, by: RunBy): void;
  /** Stops the running line: what came stays. False when none runs. */
  cancel(): boolean;
  /** Candidates for the prompt. Nothing while a command runs: the engine is busy with it. */
  complete(line: string, cursor: number, signal?: AbortSignal): Promise<Completion>;
  /** The output of a line that is no command of the user's (help on a word): not echoed, not recorded. */
  query(line: string): Promise<readonly Line[]>;
  /** The rows of a command as JSON, otherwise as `query`. */
  rows(line: string): Promise<readonly Readonly<Record<string, unknown>>[]>;

  /** Follows what is on the screen, as Enter does: selects it, shows it, and names the command that does the same. */
  follow(ref: Ref): void;
  /** Makes a task, frame, symbol or lock the shared selection without opening it. */
  select(ref: Ref): void;
  focus(focus: Focus): void;
  /** Puts a text into the prompt, which gets the keys. */
  insert(text: string): void;
  open(name: string, overlay: OverlayPart): void;
  close(): void;
  /** Types a character into the ink components of the open overlay. */
  typeInk(character: string): void;
  /** One line in the bottom row until the next key. */
  tell(text: string, look?: Look): void;
  /** OSC 52. */
  copy(text: string): void;
  /** Gives the terminal to another program while `work` runs. */
  lend<T>(work: () => Promise<T> | T): Promise<T>;
  /** Ends the session. */
  quit(): void;
}
