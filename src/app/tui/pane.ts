/**
 * A pane: a command line and a viewport over what it prints. What it shows can be typed; what was shown before is kept,
 * so that one can go back. Reading is done in the engine's spare time (engine-time.ts).
 */
import { type Line, textOf } from '../../core/output/line.ts';
import type { CellWindow, Drawing, Focus, Handled, Part, Selection, Size } from './contract.ts';
import type { EngineTime } from './engine-time.ts';
import { LaidLines } from './laid-lines.ts';
import { matcher, refIn } from './line-search.ts';
import { lineAt } from './line-time.ts';
import { PaneFlow } from './pane-flow.ts';
import { paneInfo } from './pane-info.ts';
import { paintPane } from './pane-paint.ts';
import { PaneReading } from './pane-reading.ts';
import { isForPanes, isUsable, type PaneKind, usableViews } from './pane-views.ts';
import { Preview } from './preview.ts';
import { goTo, Trail } from './trail.ts';
import { type Target, Viewport } from './viewport.ts';

/** What the screen does for its panes. */
export interface PaneHost {
  readonly time: EngineTime;
  readonly selection: Selection;
  /** Whether a command is there: panes of others are empty. */
  has(command: string): boolean;
  /** The pane must be drawn again; its title too where `title` says so. */
  changed(pane: Pane, title: boolean): void;
}

export class Pane implements Part {
  readonly kind: PaneKind;
  readonly viewport = new Viewport(true);
  readonly #host: PaneHost;
  #line: string | undefined;
  /** The view it shows; undefined for a command that was followed or typed. */
  #view: number | undefined = 0;
  readonly #trail = new Trail();
  readonly #reading: PaneReading;
  #filter: string | undefined;
  #focused = false;
  /** The lines of the viewport: what was read, with what is unfolded. */
  readonly laid: LaidLines;
  readonly #flow: PaneFlow;
  readonly #preview: Preview;
  isPinned = false;
  isShown = false;

  constructor(kind: PaneKind, host: PaneHost) {
    this.kind = kind;
    this.#host = host;
    this.viewport.follows = kind.tail === true;
    this.#reading = new PaneReading(kind.name, host.time);
    this.laid = new LaidLines(this.viewport, this.#reading, () => host.changed(this, true));
    const ended = (): void => host.changed(this, true);
    this.#flow = new PaneFlow(this.#reading, { take: (lines) => this.append(lines), ended });
    this.#preview = new Preview(kind.name, host.time, () => host.changed(this, false));
  }

  /** The command that shows what the pane shows. */
  get line(): string | undefined {
    return this.#line;
  }

  /** It has something to show: the commands for it are there. */
  get isUseful(): boolean {
    return usableViews(this.kind, this.#has).length > 0;
  }

  get isPaused(): boolean {
    return this.laid.isPaused;
  }

  get filterText(): string | undefined {
    return this.#filter;
  }

  /** The object that is marked. */
  get target(): Target | undefined {
    return this.viewport.target;
  }

  /** What stands beside the title. */
  get info(): string {
    const { isReading, rate } = this.#reading;
    return paneInfo(this, { isReading, rate });
  }

  set focused(focused: boolean) {
    this.#focused = focused;
  }

  draw(_size: Size): Drawing {
    const { kind, viewport } = this;
    const paint = (window: CellWindow): void =>
      paintPane(window, {
        kind,
        viewport,
        preview: this.#preview,
        isFocused: this.#focused,
        error: this.#reading.error,
        emptiness: this.#emptiness,
      });
    return { kind: 'cells', paint };
  }

  handle(): Handled {
    return 'passed';
  }

  /** The selection changed: shows what belongs to it, unless the pane is pinned. */
  follow(changed: ReadonlySet<keyof Selection>, again = false): void {
    const { follows } = this.kind;
    if (follows === undefined || !changed.has(follows) || this.isPinned) return;
    if (follows === 'time') {
      this.#toTime();
      return;
    }
    this.#trail.clear();
    this.#view = 0;
    this.show(again);
  }

  /** Shows the view again where its line is another one by now, or nothing was read yet. */
  show(again = false): void {
    const view = this.#view === undefined ? undefined : this.kind.views[this.#view];
    const line =
      view === undefined ? this.#line : isUsable(view, this.#has) ? view.line(this.#host.selection) : undefined;
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
    else if (!this.isPaused && !this.#flow.holds) this.#load(this.#line, true);
  }

  /** Reads what is there now, and nothing that flowed before. */
  readAgain(): void {
    this.#flow.forget();
    this.refresh();
  }

  /** Shows a command; `focus` had the keys and gets them back. Throws an Error that says why it cannot. */
  open(line: string, focus: Focus): void {
    if (!isForPanes(line)) throw new Error('a pane only shows: such a command is for the prompt');
    if (this.#line !== undefined) this.#trail.push({ line: this.#line, view: this.#view, focus }, this.viewport);
    this.#view = undefined;
    this.#flow.turnTo(undefined);
    this.#start();
    this.#line = line;
    this.#load(line, false);
  }

  /** Shows the pane's own view again, as it is now. */
  home(): void {
    this.#view = 0;
    this.show(true);
  }

  /** Shows what a command printed that was run elsewhere; `line` shows the same. */
  put(line: string, lines: readonly Line[]): void {
    const view = this.kind.views.findIndex((each) => each.line(this.#host.selection) === line);
    this.#view = view < 0 ? undefined : view;
    if (line !== this.#line) this.#start();
    this.#line = line;
    this.#reading.put(lines);
    this.#laidAnew();
  }

  /** The next or previous view; what it is. */
  nextView(step: 1 | -1): string {
    const usable = usableViews(this.kind, this.#has);
    if (usable.length === 0) return this.kind.absent;
    const place = usable.indexOf(this.#view ?? -1);
    this.#view = usable[(place + step + usable.length * 2) % usable.length] as number;
    const { title = '', line } = this.kind.views[this.#view] ?? {};
    if (!this.#flow.turnTo(this.#stream)) {
      this.show(true);
      return title;
    }
    this.#line = line?.(this.#host.selection);
    this.laid.lay();
    return this.isFollowing ? `${title}, from here on` : 'what flowed stays as it is; r reads what is in the buffer';
  }

  /** Goes back to what was shown before; what had the keys then, or undefined when there is nothing. */
  goBack(): Focus | undefined {
    const place = this.#trail.pop();
    if (place === undefined) return undefined;
    this.#view = place.view;
    this.#start();
    this.#line = place.line;
    if (this.#flow.turnTo(this.#stream)) this.laid.lay();
    else this.#load(place.line, false, () => goTo(place, this.viewport));
    return place.focus;
  }

  /** Shows only lines with this text, or without it when it begins with `!`; empty shows all. */
  filter(text: string): void {
    this.#filter = text === '' ? undefined : text;
    this.viewport.filter(text === '' ? undefined : matcher(text));
    this.#host.changed(this, true);
  }

  /** Shows what the chosen line is, below the list. */
  look(): void {
    const { line } = this.viewport;
    const symbol = line === undefined ? undefined : refIn(line, 'symbol');
    if (this.kind.previews !== true || line === undefined || symbol === undefined) return;
    if (this.#line?.startsWith('sym') === true) this.#preview.show(symbol, textOf(line));
  }

  get isFollowing(): boolean {
    return this.#flow.isFollowing;
  }

  /** Shows what comes, as it comes or by reading again, or no more. */
  set isFollowing(isFollowing: boolean) {
    this.viewport.follows = isFollowing && this.kind.tail === true;
    if (isFollowing) {
      this.#flow.isFollowing = true;
      this.#flow.turnTo(this.#stream);
    } else this.#flow.end(this.#line);
  }

  /** The command that prints what comes, as the view shows it. */
  get #stream(): string | undefined {
    return this.#view === undefined ? undefined : this.kind.views[this.#view]?.stream;
  }

  /** Reads again what may be another by now, unless that takes too long; `now` as of performance.now(). */
  readOn(now: number): void {
    if (this.isShown && this.#reading.isDue(now)) this.refresh();
  }

  /** Holds what is shown, or goes on. */
  pause(): void {
    this.laid.pause();
  }

  /** Lines that come by themselves: a trace that is followed. */
  append(lines: readonly Line[]): void {
    this.laid.append(lines);
    if (!this.isPaused) this.#host.changed(this, false);
  }

  /** Shows what was then; what is followed stays at its end. */
  #toTime(): void {
    const { time } = this.#host.selection;
    const at = time === undefined || this.isFollowing ? undefined : lineAt(this.viewport.lines, time);
    if (at === undefined) return;
    this.viewport.show(at);
    this.#host.changed(this, true);
  }

  readonly #has = (command: string): boolean => this.#host.has(command);

  /** Something else is to be shown: from its start. */
  #start(): void {
    this.laid.clear();
    this.#preview.clear();
    this.#reading.error = undefined;
    const { viewport } = this;
    [viewport.top, viewport.chosen, viewport.object, viewport.left] = [0, 0, 0, 0];
    viewport.follows = this.kind.tail === true;
  }

  #load(line: string, keeps: boolean, then?: () => void): void {
    const done = (): void => {
      if (this.#fallBack()) return;
      this.#laidAnew();
      then?.();
    };
    this.#reading.load(line, keeps, () => this.laid.lay(), done);
    this.#host.changed(this, true);
  }

  /** Other lines than before: where one stands in them is chosen. */
  #laidAnew(): void {
    const before = this.viewport.lines[0];
    this.laid.lay();
    const { here, isText } = this.kind;
    if (isText === true && textOf(this.viewport.lines[0] ?? '') !== textOf(before ?? '')) this.viewport.choose(0);
    const at = here === undefined ? -1 : this.viewport.lines.findIndex((line) => here.test(textOf(line)));
    if (at < 0) return;
    // From the beginning, if it fits: what leads there is to be seen.
    this.viewport.top = 0;
    this.viewport.choose(at);
  }

  /** The first view has nothing but a remark: the second is shown. */
  #fallBack(): boolean {
    const { error, lines } = this.#reading;
    const isEmpty = error !== undefined || lines.every((line) => textOf(line).startsWith('('));
    if (this.kind.fallsBack !== true || this.#view !== 0 || !isEmpty || this.viewport.total > 0) return false;
    this.#view = 1;
    this.show();
    return true;
  }

  get #emptiness(): string {
    if (this.#reading.isReading) return 'reading ...';
    return this.#line === undefined ? this.kind.absent : `${this.#line}: nothing`;
  }
}
