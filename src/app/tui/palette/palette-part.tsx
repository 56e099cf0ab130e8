/**
 * Ctrl-P: everything that has a name, found by a few letters of it: commands, lines that were run, tasks, symbols, types
 * and recordings. Enter runs the line that is shown, Tab puts it into the prompt. The search runs in a thread of its own.
 */
import { textOf } from '../../../core/output/line.ts';
import { chordOf, type InputEvent } from '../../prompt/keys.ts';
import type { App, Drawing, Handled, KeyHelp, OverlayPart, Rect, Size } from '../contract.ts';
import { type ListedItem, type PaletteItem, rank } from './palette-item.ts';
import { commandItems, historyItems, recordingItems, taskItems } from './palette-lists.ts';
import { PALETTE_CHROME, PaletteView, PREVIEW_WIDTH } from './palette-view.tsx';

const WIDTH = 140;
const HEIGHT = 26;
/** Matches of each list, and of all. */
const LIMIT = 100;
/** A choice that lasts so long is looked at; on a live target that costs round trips. */
const PREVIEW_MS = { frozen: 60, live: 300 } as const;
const PREVIEW_LINES = 40;
const LIST = 'palette';

/** Opens the palette, for `app.open`. */
export function openPalette(app: App): OverlayPart {
  const palette = new Palette(app);
  palette.load();
  return palette;
}

class Palette implements OverlayPart {
  readonly #app: App;
  #listed: readonly ListedItem[] = [];
  #query = '';
  #items: readonly PaletteItem[] = [];
  #selected = 0;
  #height = 1;
  #hasPreview = false;
  #preview: { readonly line: string; readonly lines: readonly string[] } | undefined;
  #asking: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(app: App) {
    this.#app = app;
  }

  /** Fills the lists: what is at hand at once, the rest as it comes. */
  load(): void {
    const { engine, history } = this.#app;
    this.#offer([...historyItems(history.entries), ...recordingItems(process.cwd())]);
    engine.search.prepare().then(() => this.#search(), this.#failed);
    commandItems(this.#app).then((items) => this.#offer(items), this.#failed);
    // A target without tasks offers none.
    taskItems(this.#app).then(
      (items) => this.#offer(items),
      () => undefined,
    );
  }

  place({ width, height }: Size): Rect {
    const size = { width: Math.min(WIDTH, width - 2), height: Math.min(HEIGHT, height - 2) };
    return { x: Math.floor((width - size.width) / 2), y: Math.max(1, Math.floor((height - size.height) / 3)), ...size };
  }

  draw(size: Size): Drawing {
    this.#height = Math.max(1, size.height - PALETTE_CHROME);
    this.#hasPreview = size.width >= PREVIEW_WIDTH;
    const { search } = this.#app.engine;
    const remark =
      this.#query === '' ? '' : `${search.symbolCount.toLocaleString('en')} symbols, ${search.took.toFixed(0)} ms`;
    const chosen = this.#items[this.#selected];
    const half = Math.floor(this.#height / 2);
    const first = Math.max(0, Math.min(this.#selected - half, this.#items.length - this.#height));
    return {
      kind: 'ink',
      element: (
        <PaletteView
          size={size}
          theme={this.#app.theme}
          items={this.#items}
          selected={this.#selected}
          first={first}
          remark={remark}
          preview={this.#preview?.line === chosen?.line ? this.#preview?.lines : undefined}
          onChange={(text) => this.#typed(text)}
        />
      ),
    };
  }

  handle(event: InputEvent): Handled {
    if (event.kind === 'paste') {
      for (const character of event.text.split('\n', 1)[0] ?? '') this.#app.typeInk(character);
      return 'taken';
    }
    if (event.kind === 'mouse') {
      this.#mouse(event.action, event.y);
      return 'taken';
    }
    if (event.kind !== 'key') return 'taken';
    const step = STEPS[chordOf(event)];
    if (step !== undefined) this.#choose(this.#selected + step);
    else if (PAGES[chordOf(event)] !== undefined)
      this.#choose(this.#selected + (PAGES[chordOf(event)] ?? 0) * this.#height);
    else if (chordOf(event) === 'enter') this.#take();
    else if (chordOf(event) === 'tab') this.#put();
    else if (LEAVING.has(chordOf(event))) this.#close();
    else if (event.text !== '' || EDITING.has(event.name)) return 'ink';
    return 'taken';
  }

  keys(): readonly KeyHelp[] {
    return [
      { keys: 'up down', description: 'choose' },
      { keys: 'enter', description: 'run the line' },
      { keys: 'tab', description: 'put the line into the prompt' },
      { keys: 'escape', description: 'close' },
    ];
  }

  #offer(items: readonly ListedItem[]): void {
    if (this.#isClosed) return;
    this.#listed = [...this.#listed, ...items];
    this.#app.engine.search.setList(
      LIST,
      this.#listed.map(({ label }) => label),
    );
    this.#search();
  }

  #typed(text: string): void {
    this.#query = text;
    this.#search();
  }

  #search(): void {
    const query = this.#query;
    if (query.trim() === '') {
      this.#show(this.#listed.filter(({ kind }) => kind !== 'task').map((item) => ({ ...item, positions: [] })));
      return;
    }
    this.#app.engine.search.find(query, LIMIT).then((found) => {
      if (found !== undefined) this.#show(rank(found, this.#listed, LIMIT));
    }, this.#failed);
  }

  #show(items: readonly PaletteItem[]): void {
    if (this.#isClosed) return;
    this.#items = items;
    this.#choose(0);
  }

  #choose(index: number): void {
    this.#selected = Math.max(0, Math.min(index, this.#items.length - 1));
    this.#app.redraw(this);
    clearTimeout(this.#timer);
    const line = this.#items[this.#selected]?.line;
    if (!this.#hasPreview || line === undefined || !isSafe(line)) return;
    this.#timer = setTimeout(() => void this.#look(), PREVIEW_MS[this.#app.engine.opened.liveness]);
  }

  /** Shows what the chosen line prints; one at a time, the latest next. */
  async #look(): Promise<void> {
    const line = this.#items[this.#selected]?.line;
    if (this.#isClosed || this.#asking !== undefined || line === undefined || this.#preview?.line === line) return;
    this.#asking = line;
    let lines: readonly string[];
    try {
      lines = (await this.#app.query(previewOf(line))).slice(0, PREVIEW_LINES).map(textOf).map(shortened);
    } catch (error) {
      lines = [(error as Error).message];
    }
    this.#asking = undefined;
    this.#preview = { line, lines };
    if (this.#isClosed) return;
    this.#app.redraw(this);
    if (this.#items[this.#selected]?.line !== line) void this.#look();
  }

  #take(): void {
    const item = this.#items[this.#selected];
    if (item === undefined) return;
    this.#close();
    if (item.ref !== undefined) this.#app.select(item.ref);
    this.#app.run(item.line, 'palette');
    this.#app.focus('prompt');
  }

  #put(): void {
    const item = this.#items[this.#selected];
    if (item === undefined) return;
    this.#close();
    this.#app.insert(item.kind === 'command' ? `${item.line} ` : item.line);
  }

  #mouse(action: string, y: number): void {
    if (action === 'wheel-up' || action === 'wheel-down')
      this.#choose(this.#selected + (action === 'wheel-up' ? -1 : 1));
    if (action !== 'press') return;
    const half = Math.floor(this.#height / 2);
    const first = Math.max(0, Math.min(this.#selected - half, this.#items.length - this.#height));
    const index = first + y - 2;
    if (index === this.#selected) this.#take();
    else if (y >= 2 && y < 2 + this.#height && index < this.#items.length) this.#choose(index);
  }

  #close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#app.close();
  }

  readonly #failed = (error: Error): void => {
    if (!this.#isClosed) this.#app.tell(`the search failed: ${error.message}`, 'warn');
  };
}

const STEPS: Readonly<Record<string, number>> = {
  up: -1,
  down: 1,
  'ctrl-p': -1,
  'ctrl-n': 1,
  'ctrl-k': -1,
  'ctrl-j': 1,
};
const PAGES: Readonly<Record<string, number>> = { 'page-up': -1, 'page-down': 1 };
const LEAVING: ReadonlySet<string> = new Set(['escape', 'ctrl-c', 'ctrl-g']);
/** Keys that ink-text-input edits with. */
const EDITING: ReadonlySet<string> = new Set(['left', 'right', 'backspace', 'delete']);

/** Lines that only show something may be run for a look; those of the history may be anything. */
function isSafe(line: string): boolean {
  return /^(?:dis|p|bt|struct|union|whatis) \S+$/.test(line) || /^[a-z*]+$/i.test(line);
}

/** Instructions without their addresses: the offset in the function says enough where there is little room. */
function shortened(line: string): string {
  return line.replace(/^0x[0-9a-f]{16} (?=<)/, '');
}

/** A command by itself may do anything, or read for long: its help is shown instead. */
function previewOf(line: string): string {
  return line.includes(' ') ? line : `help ${line}`;
}
