/**
 * A pane: a command line and a viewport over what it prints. What it shows can be typed; what was shown before is kept,
 * so that one can go back. Reading is done in the engine's spare time (engine-time.ts).
 */
import type { Line, Ref } from '../../core/output/line.ts';
import { textOf } from '../../core/output/line.ts';
import type { CellWindow, Drawing, Focus, Handled, Part, Selection, Size } from './contract.ts';
import { type EngineTime, PANE_LINES_MAX } from './engine-time.ts';
import { matcher, refIn } from './line-search.ts';
import type { PaneKind } from './pane-views.ts';
import { type Target, Viewport } from './viewport.ts';
import { wrapped } from './wrapped.ts';

/** What the screen does for its panes. */
export interface PaneHost {
  readonly time: EngineTime;
  readonly selection: Selection;
  /** Whether a command is there: panes of others are empty. */
  has(command: string): boolean;
  /** The pane must be drawn again; its title too where `title` says so. */
  changed(pane: Pane, title: boolean): void;
}

/** A place to go back to. */
interface Place {
  readonly line: string;
  readonly view: number | undefined;
  readonly chosen: number;
  readonly object: number;
  readonly top: number;
  /** What had the keys. */
  readonly focus: Focus;
}

/** Places that a pane remembers. */
const BACK_MAX = 200;
/** Commands that change the session rather than show something. */
const NOT_IN_PANES = /^\s*(exit|q|quit|record|set|alias|repeat)\b|[<>]\s*\S|^\s*!/;

export class Pane implements Part {
  readonly kind: PaneKind;
  readonly viewport = new Viewport(true);
  readonly #host: PaneHost;
  #line: string | undefined;
  /** The view it shows; undefined for a command that was followed or typed. */
  #view: number | undefined = 0;
  #back: Place[] = [];
  #isReading = false;
  #error: string | undefined;
  #filter: string | undefined;
  #focused = false;
  /** Lines held back while the pane is paused. */
  #held: readonly Line[] | undefined;
  /** Lines of a frame that is unfolded, by the line that they stand below. */
  readonly #unfolded = new Map<string, readonly Line[]>();
  #read: Line[] = [];
  isPinned = false;
  isPaused = false;
  isShown = false;

  constructor(kind: PaneKind, host: PaneHost) {
    this.kind = kind;
    this.#host = host;
    this.viewport.follows = kind.tail === true;
  }

  /** The command that shows what the pane shows. */
  get line(): string | undefined {
    return this.#line;
  }

  /** It has something to show: the commands for it are there. */
  get isUseful(): boolean {
    return this.kind.views.some((view) => this.#available(view.needs));
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  get filterText(): string | undefined {
    return this.#filter;
  }

  /** The object that is marked. */
  get target(): Target | undefined {
    return this.viewport.target;
  }

  /** What stands beside the title: how many lines, and what keeps the pane from moving. */
  get info(): string {
    const { length, total, follows } = this.viewport;
    const parts = [
      this.isPinned ? 'pinned' : '',
      this.isPaused ? 'paused' : '',
      this.#filter === undefined ? '' : `only "${this.#filter}"`,
      this.#isReading ? 'reading' : '',
      follows && this.kind.tail === true ? 'tail' : '',
      total === 0 ? '' : length === total ? `${total}` : `${length} of ${total}`,
    ];
    return parts.filter((part) => part !== '').join('  ');
  }

  set focused(focused: boolean) {
    this.#focused = focused;
  }

  draw(_size: Size): Drawing {
    return { kind: 'cells', paint: (window) => this.#paint(window) };
  }

  handle(): Handled {
    return 'passed';
  }

  /** The objects of the chosen line that become everybody's selection. */
  selects(): readonly Ref[] {
    const { line } = this.viewport;
    if (line === undefined) return [];
    const { name } = this.kind;
    const task = this.#line?.startsWith('bt') === true ? undefined : refIn(line, 'task');
    const frame = refIn(line, 'frame');
    const symbol = name === 'stacks' || name === 'trace' || name === 'symbols' ? refIn(line, 'symbol') : undefined;
    return [task, frame, symbol, refIn(line, 'lock')].filter((ref) => ref !== undefined);
  }

  /** The name of the chosen task, where the line ends with it. */
  get comm(): string | undefined {
    const { line } = this.viewport;
    return this.kind.name === 'tasks' && line !== undefined ? textOf(line).trim().split(/\s+/).at(-1) : undefined;
  }

  /** The selection changed: shows what belongs to it, unless the pane is pinned. */
  follow(changed: ReadonlySet<keyof Selection>, again = false): void {
    const { follows } = this.kind;
    if (follows === undefined || !changed.has(follows) || this.isPinned) return;
    this.#back = [];
    this.#view = 0;
    this.show(again);
  }

  /** Shows the view again where its line is another one by now, or nothing was read yet. */
  show(again = false): void {
    const view = this.#view === undefined ? undefined : this.kind.views[this.#view];
    const line =
      view === undefined ? this.#line : this.#available(view.needs) ? view.line(this.#host.selection) : undefined;
    if (line === this.#line && !again) return;
    if (line !== this.#line) this.#start();
    this.#line = line;
    if (line !== undefined && this.isShown) this.#load(line, again);
    this.#host.changed(this, true);
  }

  /** The pane appears, or reads again what it shows. */
  refresh(): void {
    this.isShown = true;
    if (this.#line === undefined) this.show();
    else if (!this.isPaused) this.#load(this.#line, true);
  }

  /** Shows a command; `focus` had the keys and gets them back. Throws an Error that says why it cannot. */
  open(line: string, focus: Focus): void {
    if (NOT_IN_PANES.test(line)) throw new Error('a pane only shows: such a command is for the prompt');
    this.#remember(focus);
    this.#view = undefined;
    this.#start();
    this.#line = line;
    this.#load(line, false);
  }

  /** Shows a command as one types it: no place to go back to. */
  search(line: string): void {
    this.#view = undefined;
    this.#start();
    this.#line = line;
    this.#load(line, true);
  }

  /** The next or previous view; what it is. */
  nextView(step: 1 | -1): string {
    const { views } = this.kind;
    const usable = views.map((_, i) => i).filter((i) => this.#available(views[i]?.needs));
    if (usable.length === 0) return this.kind.absent;
    const place = usable.indexOf(this.#view ?? -1);
    const next = usable[(place + step + usable.length * 2) % usable.length] as number;
    this.#view = next;
    this.show(true);
    return views[next]?.title ?? '';
  }

  /** Goes back to what was shown before; what had the keys then, or undefined when there is nothing. */
  goBack(): Focus | undefined {
    const place = this.#back.pop();
    if (place === undefined) return undefined;
    this.#view = place.view;
    this.#start();
    this.#line = place.line;
    const { viewport } = this;
    this.#load(place.line, false, () => {
      viewport.top = place.top;
      viewport.choose(place.chosen);
      viewport.object = place.object;
    });
    return place.focus;
  }

  /** Shows only lines with this text, or without it when it begins with `!`; empty shows all. */
  filter(text: string): void {
    this.#filter = text === '' ? undefined : text;
    this.viewport.filter(text === '' ? undefined : matcher(text));
    this.#host.changed(this, true);
  }

  /** Unfolds the frame that is chosen, or folds it again. Why it cannot, if it cannot. */
  toggleUnfolded(frame: (line: Line) => Promise<readonly Line[]> | string): string | undefined {
    const { line } = this.viewport;
    if (line === undefined) return 'there is nothing to unfold';
    const text = textOf(line);
    if (this.#unfolded.delete(text)) {
      this.#lay();
      return undefined;
    }
    const lines = frame(line);
    if (typeof lines === 'string') return lines;
    lines.then(
      (found) => {
        this.#unfolded.set(text, found);
        this.#lay();
      },
      (error: Error) => {
        this.#unfolded.set(text, [[{ text: `      ${error.message}`, tone: 'warn' }]]);
        this.#lay();
      },
    );
    return undefined;
  }

  /** Holds what is shown, or goes on. */
  pause(): void {
    this.isPaused = !this.isPaused;
    if (!this.isPaused && this.#held !== undefined) this.#take(this.#held);
    this.#held = undefined;
    this.#host.changed(this, true);
  }

  /** Lines that come by themselves: a trace that is followed. */
  append(lines: readonly Line[]): void {
    if (this.isPaused) return;
    for (const line of lines) this.#read.push(line);
    if (this.#read.length > PANE_LINES_MAX * 1.25) this.#read = this.#read.slice(-PANE_LINES_MAX);
    this.viewport.append(lines, PANE_LINES_MAX);
    this.#host.changed(this, false);
  }

  #available(command: string | undefined): boolean {
    return command === undefined || this.#host.has(command);
  }

  #remember(focus: Focus): void {
    if (this.#line === undefined) return;
    const { chosen, object, top } = this.viewport;
    this.#back.push({ line: this.#line, view: this.#view, chosen, object, top, focus });
    if (this.#back.length > BACK_MAX) this.#back.shift();
  }

  /** Something else is to be shown: from its start. */
  #start(): void {
    this.#unfolded.clear();
    this.#error = undefined;
    const { viewport } = this;
    [viewport.top, viewport.chosen, viewport.object, viewport.left] = [0, 0, 0, 0];
    viewport.follows = this.kind.tail === true;
  }

  #load(line: string, keep: boolean, then?: () => void): void {
    const read: Line[] = [];
    this.#isReading = true;
    // What stands there stays until the new lines have come: a pane that is read again does not flicker.
    let isShown = false;
    const take = (lines: readonly Line[], first: boolean): void => {
      if (first) read.length = 0;
      for (const each of lines) read.push(each);
      if (!keep && read.length > 0 && !isShown) {
        isShown = true;
        this.#take(read);
      }
    };
    const done = (error: readonly string[] | undefined): void => {
      this.#isReading = false;
      this.#error = error?.filter((each) => !each.startsWith('  ')).join('; ');
      if (this.#fallBack(read)) return;
      this.#take(read);
      then?.();
      this.#host.changed(this, true);
    };
    this.#host.time.pane({ key: this.kind.name, line, take, done });
    this.#host.changed(this, true);
  }

  /** The first view has nothing but a remark: the second is shown. */
  #fallBack(lines: readonly Line[]): boolean {
    const isEmpty = this.#error !== undefined || lines.every((line) => textOf(line).startsWith('('));
    if (this.kind.fallsBack !== true || this.#view !== 0 || !isEmpty || this.viewport.total > 0) return false;
    this.#view = 1;
    this.show();
    return true;
  }

  #take(lines: readonly Line[]): void {
    if (this.isPaused) {
      this.#held = lines;
      return;
    }
    this.#read = [...lines];
    this.#lay();
  }

  /** The lines with what is unfolded below them. */
  #lay(): void {
    const lines =
      this.#unfolded.size === 0
        ? this.#read
        : this.#read.flatMap((line) => [line, ...(this.#unfolded.get(textOf(line)) ?? [])]);
    this.viewport.replace(lines);
    this.#host.changed(this, true);
  }

  #paint(window: CellWindow): void {
    if (this.viewport.total > 0) {
      this.viewport.paint(window, this.#focused);
      if (this.#error !== undefined) window.text(0, window.height - 1, ` ${this.#error} `, 'warn');
      return;
    }
    const text = this.#error ?? (this.#isReading ? 'reading ...' : this.#emptiness());
    for (const [i, piece] of wrapped(text, window.width - 2).entries()) {
      window.text(1, i, piece, this.#error === undefined ? 'dim' : 'warn');
    }
  }

  #emptiness(): string {
    return this.#line === undefined ? this.kind.absent : `${this.#line}: nothing`;
  }
}
