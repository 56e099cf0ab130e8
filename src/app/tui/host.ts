/**
 * The screen as a whole: it mounts the parts, takes every event once and gives it to whoever has the keys, holds the
 * selection that all panes share, and shares out the engine's time.
 */
import type { Completion } from '../../core/command/complete.ts';
import type { Line, Ref } from '../../core/output/line.ts';
import type { EngineClient } from '../../engine/client.ts';
import type { History } from '../prompt/history.ts';
import type { InputEvent } from '../prompt/keys.ts';
import { isUnicodeLocale } from './ascii.ts';
import { ChromePart } from './chrome-part.tsx';
import { CLIPBOARD_MAX, clipboardSequence } from './clipboard.ts';
import type { Frame } from './compositor.ts';
import { configPath, writeLayouts } from './config.ts';
import type {
  App,
  AppState,
  Focus,
  OverlayPart,
  PaneName,
  Part,
  PromptPart,
  RunBy,
  ScrollbackPart,
  Selection,
} from './contract.ts';
import { Desk } from './desk.ts';
import { EngineTime } from './engine-time.ts';
import { takeEvent } from './events.ts';
import { askFacts, type Facts, firstFacts } from './facts.ts';
import { changedBy, followingOf, selectedWith } from './follow.ts';
import { Following } from './following.ts';
import { frameOf } from './frame-of.ts';
import type { HostOptions } from './host-options.ts';
import { Mouse } from './mouse.ts';
import { noteCommand, noteLine } from './note-line.ts';
import type { Pane } from './pane.ts';
import { chosenComm, chosenRefs, chosenTime } from './pane-choice.ts';
import { paneHostOf } from './pane-host.ts';
import { Screen } from './screen.ts';
import { rebindScreen, SCREEN_KEYS, type ScreenBinding } from './screen-keys.ts';
import { chooseTheme, type Look, type Theme } from './theme.ts';
import { UserLines } from './user-lines.ts';

/** Milliseconds that a choice must last before other panes follow it: a key that repeats does not make them read. */
const SETTLE_MS = 90;

export class Host implements App {
  readonly engine: EngineClient;
  readonly history: History;
  readonly theme: Theme;
  readonly keys: readonly ScreenBinding[];
  /** What is wrong with the keys of the config file. */
  readonly troubles: readonly string[];
  readonly time: EngineTime;
  readonly screen: Screen;
  readonly desk: Desk;
  readonly prompt: PromptPart;
  readonly scrollback: ScrollbackPart;
  readonly chrome: ChromePart;
  readonly following = new Following(() => this.desk.shown());
  /** Resolves to the exit status. */
  readonly ended: Promise<number>;
  facts: Facts;
  state: AppState;
  overlay: OverlayPart | undefined;
  /** The pane that had the keys last. */
  lastPane: PaneName | undefined;
  /** The text that `n` looks for. */
  lastSearch: string | undefined;
  readonly #options: HostOptions;
  readonly #lines: UserLines;
  readonly #mouse = new Mouse();
  /** Events that an overlay is not ready for. */
  readonly #waiting: InputEvent[] = [];
  #chosen: NodeJS.Timeout | undefined;
  #end: (status: number) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    const { engine, history, config, env, input, output, parts } = options;
    this.engine = engine;
    this.history = history;
    this.theme = chooseTheme(config.theme, env);
    const bound = rebindScreen(SCREEN_KEYS, config.keys);
    this.keys = bound.table;
    this.troubles = bound.troubles;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.time = new EngineTime(engine, (error) => this.#fail(error));
    this.facts = firstFacts(engine, options.recording);
    this.screen = new Screen({
      input,
      output,
      host: options.process,
      appearance: { theme: this.theme, isUnicode: isUnicodeLocale(env) },
      mouse: config.mouse,
      onEvents: (events) => this.#take(events),
      frame: () => this.#frame(),
      onDrawn: () => this.#take([]),
      onResize: () => this.#resized(),
      onInterrupt: () => void this.cancel(),
      onEnd: () => this.quit(),
    });
    const { size } = this.screen;
    this.state = { size, focus: 'prompt', overlay: undefined, selection: {}, running: undefined, message: undefined };
    this.desk = new Desk(paneHostOf(this), size, { layouts: config.layouts, lesson: options.lesson === true });
    this.chrome = new ChromePart(this);
    this.prompt = parts.prompt(this);
    this.scrollback = parts.scrollback(this);
    this.#lines = new UserLines(this, { end: (status) => this.#end(status), fail: (error) => this.#fail(error) });
  }

  /** Draws the first frame and begins to read what the panes show. */
  start(): void {
    this.desk.resize(this.screen.size);
    this.screen.flush();
    const tell = (facts: Partial<Facts>): void => this.learn(facts);
    void askFacts(this.time, tell);
  }

  /** Gives the terminal back, and keeps the layout. Throws the error of the file it is kept in. */
  dispose(): void {
    clearTimeout(this.#chosen);
    this.following.close();
    this.time.close();
    this.screen.close();
    const layouts = this.desk.changedLayouts;
    if (layouts !== undefined) writeLayouts(configPath(this.#options.env), layouts);
  }

  update(change: Partial<AppState>): void {
    const before = this.state;
    this.state = { ...before, ...change };
    if (this.state.focus !== before.focus) {
      for (const [name, pane] of this.desk.panes) {
        pane.focused = name === this.state.focus;
        this.screen.compositor.redraw(pane);
      }
      this.redraw(this.scrollback);
    }
    this.redraw(this.chrome);
  }

  redraw(part: Part): void {
    this.screen.compositor.redraw(part);
    this.screen.drawLater();
  }

  run(line: string, by: RunBy): void {
    if (line.trim() === '') return;
    if (by !== 'prompt') this.prompt.remember(line);
    this.#lines.run(line, by);
  }

  /** Runs a line that a key stands for: what it prints goes to `show`, and not to the scrollback. */
  act(line: string, show: (lines: readonly Line[]) => void): void {
    this.teach(line);
    this.#lines.act(line, show);
  }

  cancel(): boolean {
    return this.#lines.cancel();
  }

  complete(line: string, cursor: number, signal?: AbortSignal): Promise<Completion> {
    return this.time.complete(line, cursor, signal);
  }

  query(line: string): Promise<readonly Line[]> {
    return this.time.query(line);
  }

  rows(line: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.time.rows(line);
  }

  follow(ref: Ref): void {
    this.select(ref);
    this.run(followingOf(ref, '', (name) => this.facts.commands.has(name)).line, 'key');
  }

  select(ref: Ref, comm?: string): void {
    this.#selectAll(selectedWith(this.state.selection, ref, comm));
  }

  #selectAll(selection: Selection): void {
    const changed = changedBy(this.state.selection, selection);
    if (changed.size === 0) return;
    this.update({ selection });
    for (const pane of this.desk.panes.values()) if (this.state.focus !== pane.kind.name) pane.follow(changed);
  }

  /** The choice in a pane moved: once it rests, it becomes the selection of all. */
  chosen(pane: Pane): void {
    clearTimeout(this.#chosen);
    this.#chosen = setTimeout(() => {
      for (const ref of chosenRefs(pane)) this.select(ref, chosenComm(pane));
      const time = chosenTime(pane);
      if (time !== undefined) this.#selectAll({ ...this.state.selection, time });
      pane.look();
    }, SETTLE_MS);
  }

  focus(focus: Focus): void {
    if (focus !== 'prompt' && focus !== 'scrollback') {
      this.desk.show(focus, this.state.focus);
      this.lastPane = focus;
    } else if (this.desk.zoomed !== undefined && this.desk.zoomed !== 'shell') this.desk.unzoom();
    this.update({ focus });
  }

  insert(text: string): void {
    this.prompt.insert(text);
    this.focus('prompt');
  }

  open(name: string, overlay: OverlayPart): void {
    if (this.overlay !== undefined) this.screen.compositor.drop(this.overlay);
    this.overlay = overlay;
    this.update({ overlay: name });
  }

  close(): void {
    if (this.overlay !== undefined) this.screen.compositor.drop(this.overlay);
    this.overlay = undefined;
    this.update({ overlay: undefined });
  }

  openPalette(): void {
    this.open('palette', this.#options.parts.palette(this));
  }

  typeInk(character: string): void {
    if (this.overlay !== undefined) this.screen.compositor.type(this.overlay, character);
  }

  tell(text: string, look: Look = 'note'): void {
    this.update({ message: { text, look } });
  }

  copy(text: string): void {
    if (text.length > CLIPBOARD_MAX) {
      this.tell(`${text.length} characters are too many for the clipboard of a terminal; > FILE writes them`, 'warn');
      return;
    }
    this.screen.write(clipboardSequence(text));
    this.tell(`copied ${text.length} characters, if the terminal allows it (OSC 52)`);
  }

  lend<T>(work: () => Promise<T> | T): Promise<T> {
    return this.screen.lend(work);
  }

  quit(): void {
    this.#end(0);
  }

  /** A note of the user's: it stands in the notes pane, and in the recording if one is made. */
  note(text: string): void {
    this.desk.pane('notes').append([noteLine(text, this.state.selection, new Date())]);
    if (this.facts.recording !== undefined) this.run(noteCommand(text), 'key');
    else this.tell('noted; a recording would keep it (record start FILE)');
  }

  /** A command that a key or click stands for: shown, and kept in the history. */
  teach(line: string): void {
    this.prompt.remember(line);
    this.tell(`= ${line}`);
  }

  /** Something became known about the session. */
  learn(facts: Partial<Facts>): void {
    this.facts = { ...this.facts, ...facts };
    this.redraw(this.chrome);
  }

  /** A line of the user's may have moved the context: it becomes the selection. */
  contextMoved(facts: Partial<Facts>): void {
    const before = this.facts.context;
    this.learn(facts);
    const { context } = facts;
    if (context === undefined || context.pid === before?.pid) return;
    this.select({ kind: 'task', task: context.task, pid: context.pid }, context.comm);
  }

  #resized(): void {
    this.state = { ...this.state, size: this.screen.size };
    this.desk.resize(this.screen.size);
    const { focus } = this.state;
    if (focus !== 'prompt' && focus !== 'scrollback' && !this.desk.isShown(focus)) this.focus('prompt');
    this.redraw(this.chrome);
  }

  #frame(): Frame {
    return frameOf(this);
  }

  /** An overlay takes what follows a key when it has taken the key: `/text` and Enter may come at once. */
  #take(events: readonly InputEvent[]): void {
    this.#waiting.push(...events);
    while (this.overlay === undefined || this.screen.compositor.isReady(this.overlay)) {
      const event = this.#waiting.shift();
      if (event === undefined) return;
      takeEvent(this, event, this.#mouse);
      this.screen.draw();
    }
  }
}
