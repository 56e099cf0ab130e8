/**
 * What was printed so far, above the prompt: read like a text in `less`, with objects that can be followed, searched,
 * folded and copied. Its lines are kept outside React and painted as cells.
 */
import type { Line } from '../../../core/output/line.ts';
import type { InputEvent } from '../../prompt/keys.ts';
import type { App, Drawing, Handled, KeyHelp, Rect, RunBy, ScrollbackPart, Size } from '../contract.ts';
import { askSmall } from '../small-prompt.tsx';
import { Cursor } from './cursor.ts';
import { Finder } from './finder.ts';
import { LineStore } from './line-store.ts';
import type { Block } from './outline.ts';
import { paintScrollback } from './paint-scrollback.ts';
import { Reading } from './reading.ts';
import { SCROLLBACK_KEYS, type ScrollbackAction, scrollbackAction } from './scrollback-keys.ts';
import { ScrollbackMouse } from './scrollback-mouse.ts';

const PROMPT = 'kdbg> ';
const MORE = '    > ';
/** Cells that scrolling to the side passes at once. */
const SIDE = 8;
/**
 * Output that fills the window within this time is shown from its beginning, as a pager does; what trickles is followed.
 */
const AT_ONCE_MS = 1500;

/** Opens the scrollback: `host.ts` mounts it above the prompt. Its lines are kept in `store`. */
export function openScrollback(app: App, store = new LineStore()): ScrollbackPart {
  return new Scrollback(app, store);
}

class Scrollback implements ScrollbackPart {
  readonly #app: App;
  readonly #reading: Reading;
  readonly #cursor: Cursor;
  readonly #finder: Finder;
  #left = 0;
  #hadFocus = false;
  /** The running command's line, until its output has filled the window. */
  #filling: { readonly line: number; readonly since: number } | undefined;
  readonly #mouse: ScrollbackMouse;

  constructor(app: App, store: LineStore) {
    this.#app = app;
    this.#reading = new Reading(store);
    this.#cursor = new Cursor(this.#reading);
    this.#finder = new Finder({
      reading: this.#reading,
      cursor: this.#cursor,
      onChange: () => app.redraw(this),
      tell: (text, look) => app.tell(text, look),
    });
    this.#mouse = new ScrollbackMouse(this.#reading, this.#cursor, {
      scroll: (rows) => this.scroll(rows),
      follow: () => this.#perform('follow-object'),
      copy: () => this.#copySelected(),
    });
  }

  command(line: string, by: RunBy): void {
    const { store, outline } = this.#reading;
    const start = store.end;
    outline.begin(start);
    const typed = line.split('\n').map((each, i): Line => commandLine(each, i, by));
    this.#put(typed);
    this.#reading.toEnd();
    this.#filling = { line: start, since: performance.now() };
  }

  append(lines: readonly Line[]): void {
    this.#put(lines);
    this.#fill();
  }

  say(lines: readonly Line[]): void {
    this.#put(lines);
  }

  scroll(rows: number): void {
    this.#filling = undefined;
    this.#reading.scroll(rows);
    this.#app.redraw(this);
  }

  search(): void {
    const { top, follows } = this.#reading;
    const from = this.#app.state.focus === 'scrollback' ? this.#cursor.line : this.#reading.store.end - 1;
    const back = (): void => {
      this.#finder.mark('');
      if (follows) this.#reading.toEnd();
      else this.#reading.toTop(top.line);
      this.#app.redraw(this);
    };
    const question = {
      label: 'find above',
      place: ({ width, height }: Size): Rect => ({ x: 0, y: height - 1, width, height: 1 }),
      onChange: (text: string) => void this.#finder.find(text, from, -1),
      onSubmit: (text: string) => {
        if (text === '') back();
        else this.#app.focus('scrollback');
      },
      onLeave: back,
    };
    this.#app.open('find', askSmall(this.#app, this.#app.theme, question));
  }

  draw(): Drawing {
    const isFocused = this.#app.state.focus === 'scrollback';
    return {
      kind: 'cells',
      paint: (window) => {
        if (isFocused && !this.#hadFocus) {
          this.#reading.resize(window.width, window.height);
          if (this.#finder.wanted === '') this.#cursor.begin();
        }
        this.#hadFocus = isFocused;
        paintScrollback(window, { reading: this.#reading, cursor: this.#cursor, isFocused, left: this.#left });
      },
    };
  }

  handle(event: InputEvent): Handled {
    if (event.kind === 'mouse') {
      // What is pressed is chosen, and not where reading would begin.
      if (event.action === 'press') this.#hadFocus = true;
      return this.#mouse.handle(event, this.#left);
    }
    const action = scrollbackAction(event, this.#cursor.isPart);
    if (action === undefined) return 'passed';
    if (action === 'leave' && !this.#leave()) return 'passed';
    this.#filling = undefined;
    this.#perform(action);
    return 'taken';
  }

  keys(): readonly KeyHelp[] {
    return SCROLLBACK_KEYS.map(({ keys, description, action }) => ({
      keys: keys.join(' '),
      description,
      reason: this.#reasonAgainst(action),
    }));
  }

  #put(lines: readonly Line[]): void {
    const { store } = this.#reading;
    const { first } = store;
    store.append(lines);
    if (store.first > first) this.#reading.forget();
    this.#app.redraw(this);
  }

  /** Decides once whether the output of the running command is shown from its beginning. */
  #fill(): void {
    const filling = this.#filling;
    if (filling === undefined) return;
    const { line, row } = this.#reading.top;
    if (line < filling.line || (line === filling.line && row === 0)) return;
    this.#filling = undefined;
    if (performance.now() - filling.since < AT_ONCE_MS) this.#reading.toTop(filling.line);
  }

  /** Lets go of what is selected or marked; false when nothing is. */
  #leave(): boolean {
    if (this.#cursor.isSelecting) this.#cursor.letGo();
    else if (this.#finder.wanted !== '') this.#finder.mark('');
    else return false;
    return true;
  }

  #reasonAgainst(action: ScrollbackAction): string | undefined {
    if (PART_ACTIONS.has(action)) return this.#cursor.isPart ? undefined : 'no part of a line is selected: s begins';
    if (action === 'next-match' || action === 'previous-match') {
      return this.#finder.wanted === '' ? 'nothing was searched yet: / searches' : undefined;
    }
    if (action === 'follow-object' || action === 'insert' || action === 'copy-object') {
      return this.#cursor.target === undefined ? 'there is no object in this line' : undefined;
    }
    return undefined;
  }

  #perform(action: ScrollbackAction): void {
    const reason = this.#reasonAgainst(action);
    if (reason === undefined) this.#actions[action]();
    else this.#app.tell(reason, 'warn');
  }

  readonly #actions: Readonly<Record<ScrollbackAction, () => void>> = {
    up: () => this.#cursor.move(-1),
    down: () => this.#cursor.move(1),
    left: () => this.#side(-1),
    right: () => this.#side(1),
    'page-up': () => this.#page(-1),
    'page-down': () => this.#page(1),
    'half-up': () => this.#page(-0.5),
    'half-down': () => this.#page(0.5),
    first: () => this.#cursor.choose(this.#reading.store.first),
    last: () => {
      this.#reading.toEnd();
      this.#cursor.choose(this.#reading.store.end - 1);
    },
    'previous-command': () => this.#toCommand(-1),
    'next-command': () => this.#toCommand(1),
    fold: () => {
      const block = this.#block();
      this.#reading.outline.toggle(block);
      // What is left may not fill the window any more.
      this.#reading.scroll(0);
      this.#cursor.choose(Math.max(block.start, this.#reading.store.first));
    },
    wrap: () => {
      this.#reading.wraps = !this.#reading.wraps;
      this.#left = 0;
      this.#app.tell(this.#reading.wraps ? 'long lines are wrapped' : 'long lines are cut; left and right scroll');
    },
    find: () => this.search(),
    'next-match': () => this.#finder.next(-1),
    'previous-match': () => this.#finder.next(1),
    'follow-object': () => {
      const { target } = this.#cursor;
      if (target !== undefined) this.#app.follow(target.ref);
    },
    insert: () => this.#app.insert(this.#cursor.target?.text ?? ''),
    select: () => this.#cursor.select(),
    'select-part': () => this.#cursor.selectPart(),
    'cell-left': () => this.#cursor.toCell(this.#cursor.cell - 1),
    'cell-right': () => this.#cursor.toCell(this.#cursor.cell + 1),
    'word-left': () => this.#cursor.toWord(-1),
    'word-right': () => this.#cursor.toWord(1),
    'line-start': () => this.#cursor.toCell(0),
    'line-end': () => this.#cursor.toCell(Number.POSITIVE_INFINITY),
    copy: () => this.#copySelected(),
    'copy-object': () => this.#app.copy(this.#cursor.target?.text ?? ''),
    'copy-output': () => {
      const block = this.#block();
      const first = Math.max(block.start + 1, this.#reading.store.first);
      if (block.end > first) this.#app.copy(this.#cursor.text(first, block.end - 1));
    },
    leave: () => undefined,
  };

  /** The command that the chosen line belongs to, with its output. */
  #block(): Block {
    return this.#reading.outline.blockOf(this.#cursor.line, this.#reading.store.end);
  }

  /** Pages as `less` does: the window moves, and the choice with it. */
  #page(pages: number): void {
    this.#reading.scroll(Math.round(pages * Math.max(1, this.#reading.height - 1)));
    const lines = [...this.#reading.shown()].map(({ line }) => line);
    this.#cursor.choose((pages < 0 ? lines[0] : lines.at(-1)) ?? 0);
  }

  #side(direction: 1 | -1): void {
    if (this.#cursor.side(direction) || this.#reading.wraps) return;
    this.#left = Math.max(0, this.#left + direction * SIDE);
  }

  #toCommand(direction: 1 | -1): void {
    const line = this.#reading.outline.command(this.#cursor.line, direction);
    if (line === undefined) {
      this.#app.tell(`there is no command ${direction === -1 ? 'before' : 'after'} this`, 'warn');
      return;
    }
    this.#reading.toTop(line);
    this.#cursor.choose(line);
  }

  #copySelected(): void {
    this.#app.copy(this.#cursor.selectedText);
    this.#cursor.letGo();
  }
}

/** What moves the end of a selected part. */
const PART_ACTIONS: ReadonlySet<ScrollbackAction> = new Set([
  'cell-left',
  'cell-right',
  'word-left',
  'word-right',
  'line-start',
  'line-end',
]);

/** A line that was run, as it is shown. */
function commandLine(text: string, place: number, by: RunBy): Line {
  const prompt = { text: place === 0 ? PROMPT : MORE, tone: 'dim' } as const;
  const line = { text, tone: 'header' } as const;
  return by === 'key' ? [prompt, line, { text: '   (by a key)', tone: 'dim' }] : [prompt, line];
}
