/**
 * The prompt of the screen: the line editor in its rectangle. It takes the keys of readline; what it has no use for on
 * an empty line (paging, searching, the palette, the help on keys) it passes on.
 */
import { commandAt, malformed } from '../../line-check.ts';
import type { EditorState } from '../../prompt/editor-state.ts';
import { modeOf } from '../../prompt/editor-state.ts';
import { DEFAULT_KEYMAP } from '../../prompt/keymap.ts';
import { chordOf, type InputEvent } from '../../prompt/keys.ts';
import { LineDialogue } from '../../prompt/line-dialogue.ts';
import { type View, view } from '../../prompt/view.ts';
import { recall } from '../../recall.ts';
import type { App, Drawing, Handled, Point, PromptPart, Size } from '../contract.ts';
import { openHelp } from './help-overlay.ts';
import { PromptView } from './prompt-view.tsx';

const PROMPT = 'kdbg> ';
/** Keys that may wait for an answer. */
const WAITING_MAX = 100_000;
/** What these keys mean on an empty line is the screen's to say. */
const PASSED_WHEN_EMPTY: ReadonlySet<string> = new Set(['ctrl-p', 'page-up', 'page-down', 'home', 'end', '?', '/']);
/** Paging, whatever is typed. */
const ALWAYS_PASSED: ReadonlySet<string> = new Set([
  'shift-page-up',
  'shift-page-down',
  'ctrl-page-up',
  'ctrl-page-down',
]);
/** A command and a blank: `?` there asks for its help, where no expression can begin with it. */
const COMMAND_ALONE = /^\s*(?:[A-Za-z][\w-]*|\*)\s+$/;

/** Opens the prompt: `host.ts` mounts it below the scrollback. */
export function openLinePart(app: App): PromptPart {
  return new LinePart(app);
}

class LinePart implements PromptPart {
  readonly #app: App;
  #dialogue: LineDialogue;
  #waiting: InputEvent[] = [];

  constructor(app: App) {
    this.#app = app;
    this.#dialogue = this.#begin(undefined, '');
  }

  get isEmpty(): boolean {
    return this.#state.text === '' && modeOf(this.#state) === 'editing';
  }

  rows(width: number, most: number): number {
    return this.#view({ width, height: most }).rows.length;
  }

  draw(size: Size): Drawing {
    return { kind: 'ink', element: <PromptView rows={this.#view(size).rows} theme={this.#app.theme} /> };
  }

  cursor(size: Size): Point {
    const { row, column } = this.#view(size).cursor;
    return { x: column, y: row };
  }

  handle(event: InputEvent): Handled {
    if (event.kind === 'mouse' || event.kind === 'unknown') return 'taken';
    const chord = event.kind === 'key' ? chordOf(event) : undefined;
    if (this.#dialogue.isBusy) {
      if ((chord === 'escape' || chord === 'ctrl-c') && this.#dialogue.cancelQuestion()) this.#drain();
      else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(event);
      return 'taken';
    }
    if (chord !== undefined && this.#passes(chord)) return 'passed';
    this.#give(event);
    return 'taken';
  }

  setLine(text: string): void {
    this.#dialogue.cancelQuestion();
    this.#dialogue = this.#begin(this.#state, text);
    this.#app.redraw(this);
  }

  insert(text: string): void {
    this.#dialogue.handle({ name: 'paste', text });
    this.#app.redraw(this);
  }

  remember(line: string): void {
    this.#app.history.add(line);
    // A line that is being typed keeps its place among the entries that it began with.
    if (this.isEmpty && !this.#dialogue.isBusy) this.#dialogue = this.#begin(this.#state, '');
  }

  get #state(): EditorState {
    return this.#dialogue.state;
  }

  #view({ width, height }: Size): View {
    return view(this.#state, { prompt: PROMPT, width, height });
  }

  #begin(earlier: EditorState | undefined, initial: string): LineDialogue {
    const app = this.#app;
    return new LineDialogue({
      help: {
        complete: (line, cursor, signal) => app.complete(line, cursor, signal),
        check: malformed,
        explain: (line, cursor) => this.#explain(line, cursor),
        initial,
      },
      keymap: DEFAULT_KEYMAP,
      entries: app.history.entries,
      earlier,
      onDone: (line) => this.#done(line),
      onReady: () => this.#drain(),
      // Suspending and drawing anew are keys of the whole screen, and answers to help are shown as they come.
      onSuspend: () => undefined,
      onHelp: () => undefined,
      onClearScreen: () => undefined,
      onInterrupt: () => undefined,
      onBell: () => undefined,
    });
  }

  #passes(chord: string): boolean {
    if (ALWAYS_PASSED.has(chord)) return true;
    if (modeOf(this.#state) !== 'editing') return false;
    if (chord === 'escape') return this.#state.complaint === undefined;
    return this.#state.text === '' && PASSED_WHEN_EMPTY.has(chord);
  }

  #give(event: InputEvent): void {
    const { text, cursor } = this.#state;
    const asksHelp = event.kind === 'key' && event.text === '?' && cursor === text.length && COMMAND_ALONE.test(text);
    this.#dialogue.handle(asksHelp && modeOf(this.#state) === 'editing' ? { name: 'help' } : event);
  }

  /** Lets waiting keys edit the line, as far as nothing has to be answered first. */
  #drain(): void {
    let taken = 0;
    for (; taken < this.#waiting.length && !this.#dialogue.isBusy; taken++) {
      const event = this.#waiting[taken];
      if (event !== undefined) this.#give(event);
    }
    this.#waiting = this.#waiting.slice(taken);
    this.#app.redraw(this);
  }

  #done(line: string | undefined): void {
    const ended = this.#state;
    if (line === undefined) {
      this.#dialogue = this.#begin(ended, '');
      this.#app.quit();
      return;
    }
    if (line.trim() !== '') {
      this.#app.history.add(line);
      if (/^\s*![!\d]/.test(line)) void this.#runRecalled(line);
      else this.#app.run(line, 'prompt');
    }
    this.#dialogue = this.#begin(ended, '');
  }

  /** `!!` and `!N`: the engine knows which lines were run. */
  async #runRecalled(typed: string): Promise<void> {
    try {
      const rows = await this.#app.rows('history');
      const found = recall(
        typed,
        rows.map(({ line }) => String(line)),
      );
      if ('trouble' in found) this.#app.tell(found.trouble, 'warn');
      else this.#app.run(found.line, 'prompt');
    } catch (error) {
      this.#app.tell(`the lines run so far cannot be asked for: ${(error as Error).message}`, 'warn');
    }
  }

  /** Shows the page of the command that the cursor is in, and what is known of the word under it. */
  async #explain(line: string, cursor: number): Promise<undefined> {
    const name = commandAt(line.slice(0, cursor));
    if (name === undefined)
      this.#app.tell('help is for commands: type one, or ? on an empty line for the keys', 'note');
    else await openHelp(this.#app, name, wordAt(line, cursor));
    return undefined;
  }
}

/** The word that a place is in or behind: a name with its members, or an option. */
function wordAt(line: string, cursor: number): string {
  const before = /[\w.-]*$/.exec(line.slice(0, cursor))?.[0] ?? '';
  const after = /^[\w.-]*/.exec(line.slice(cursor))?.[0] ?? '';
  return before + after;
}
