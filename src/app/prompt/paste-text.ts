/**
 * The text of a bracketed paste, character by character: finds the end mark, makes every line end LF, and gives up what
 * it holds in bounded pieces.
 */

/** Characters of a paste that one event holds. */
export const PASTE_MAX = 65_536;

const END_MARK = '\x1b[201~';

export class PasteText {
  #text = '';
  /** Characters of the end mark seen. */
  #seen = 0;
  #afterReturn = false;

  /** The end mark has come. */
  get isEnded(): boolean {
    return this.#seen === END_MARK.length;
  }

  /** One more character. Gives the text so far when it has grown to the bound, else nothing. */
  add(character: string): string {
    if (character === END_MARK[this.#seen]) {
      this.#seen++;
      return '';
    }
    // Not the end mark after all: what looked like it is text. Only its first character can begin another.
    const text = END_MARK.slice(0, this.#seen) + character;
    this.#seen = character === END_MARK[0] ? 1 : 0;
    let full = '';
    for (const each of this.#seen === 1 ? text.slice(0, -1) : text) full += this.#put(each);
    return full;
  }

  /** The text so far, which is given up. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Line ends are CR, LF or both, as the terminal likes. */
  #put(character: string): string {
    const afterReturn = this.#afterReturn;
    this.#afterReturn = character === '\r';
    if (character === '\n' && afterReturn) return '';
    this.#text += character === '\r' ? '\n' : character;
    return this.#text.length < PASTE_MAX ? '' : this.take();
  }
}
