/**
 * The search of the scrollback: what is looked for is marked wherever it is seen, and the next line that has it is chosen.
 */
import type { Cursor } from './cursor.ts';
import { findLine } from './find-text.ts';
import type { Reading } from './reading.ts';

export interface FinderOptions {
  readonly reading: Reading;
  readonly cursor: Cursor;
  /** The view changed. */
  readonly onChange: () => void;
  readonly tell: (text: string, look?: 'warn') => void;
}

export class Finder {
  readonly #options: FinderOptions;
  #wanted = '';
  #search: AbortController | undefined;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** What is looked for; empty: nothing. */
  get wanted(): string {
    return this.#wanted;
  }

  /** Marks a text; a search that runs is given up. */
  mark(text: string): void {
    this.#search?.abort();
    this.#wanted = text;
    this.#options.reading.matching = text;
    this.#options.onChange();
  }

  /** The next line with the text that is looked for, from the chosen one on. */
  next(direction: 1 | -1): void {
    void this.find(this.#wanted, this.#options.cursor.line + direction, direction);
  }

  /** Marks a text and chooses the next line that has it, `from` included. */
  async find(text: string, from: number, direction: 1 | -1): Promise<void> {
    const { reading, cursor, onChange, tell } = this.#options;
    this.mark(text);
    if (text === '') return;
    const search = new AbortController();
    this.#search = search;
    const { store, outline } = reading;
    const line = await findLine({ store, wanted: text, from, direction, signal: search.signal });
    if (search.signal.aborted) return;
    if (line === undefined) tell(`no line has "${text}"`, 'warn');
    else {
      if (direction === -1 ? line > from : line < from) tell(`"${text}": on from the other end`);
      // What was found is to be seen.
      const block = outline.blockOf(line, store.end);
      if (block.isFolded && line !== block.start) outline.toggle(block);
      cursor.choose(line);
    }
    onChange();
  }
}
