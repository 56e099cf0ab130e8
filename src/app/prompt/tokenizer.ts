/**
 * Bytes from a terminal to input events, incrementally: the events depend on the characters alone and never on how they
 * were cut into chunks. The one thing that characters cannot tell is whether an ESC is the Escape key or the start of a
 * sequence whose rest is on its way: the owner waits a moment while `pending` says so and then calls `flush`.
 *
 * Every buffer is bounded: a sequence without end is dropped from `SEQUENCE_MAX` on, a paste is handed out in pieces of
 * `PASTE_MAX`. A control character inside a sequence ends it and counts as the key it is, so that Ctrl-C always works;
 * only inside a paste everything is text, because pasted text must not be able to press keys.
 */
import { CharacterStream } from './character-stream.ts';
import { decodeConsoleFunction, decodeCsi, decodeSs3 } from './key-sequences.ts';
import { type InputEvent, keyOfCharacter, PLAIN } from './keys.ts';
import { PasteText } from './paste-text.ts';

/** Characters of an escape sequence that are kept. */
export const SEQUENCE_MAX = 64;

type State =
  | 'ground'
  | 'escape' // ESC
  | 'escape-escape' // ESC ESC: two Escape keys, or Alt with a key that sends a sequence
  | 'csi'
  | 'csi-overlong' // dropping until the final byte
  | 'ss3'
  | 'console-function' // ESC [ [
  | 'x10-mouse' // ESC [ M and three characters, from terminals that do not know SGR reports
  | 'string-start' // ESC ] or ESC P: a terminal's reply, or Alt with that key
  | 'string' // until BEL or ESC \
  | 'string-escape'
  | 'paste';

/** What the tokeniser is in the middle of: the owner chooses its patience by it. */
export type Pending = 'nothing' | 'escape' | 'sequence' | 'paste';

const PENDING: Partial<Record<State, Pending>> = {
  ground: 'nothing',
  escape: 'escape',
  'escape-escape': 'escape',
  paste: 'paste',
};

export class Tokenizer {
  readonly #characters = new CharacterStream();
  #state: State = 'ground';
  /** The sequence so far, from its ESC. */
  #raw = '';
  /** The sequence was preceded by a further ESC. */
  #alt = false;
  #paste = new PasteText();
  /** The paste has been silent for so long that it was flushed. */
  #stalled = false;
  #events: InputEvent[] = [];

  /** The events that a chunk completes. */
  feed(chunk: Uint8Array | string): readonly InputEvent[] {
    for (const character of this.#characters.feed(chunk)) this.#take(character);
    return this.#handOut();
  }

  get pending(): Pending {
    return PENDING[this.#state] ?? 'sequence';
  }

  /**
   * Nothing more came in time: what is pending stands for itself. ESC is the Escape key, `ESC [` is Alt-[. A paste is
   * handed out as far as it came but stays open, so that its rest is not taken for keys; only Ctrl-C after such a
   * silence ends it.
   */
  flush(): readonly InputEvent[] {
    const [state, raw] = [this.#state, this.#raw];
    if (state === 'paste') {
      this.#stalled = true;
      this.#hand(this.#paste.take());
      return this.#handOut();
    }
    this.#ground();
    if (state === 'escape' || state === 'escape-escape') {
      for (const character of raw) this.#key(character);
    } else if (/^\x1b{1,2}[[OP\]]$/.test(raw)) {
      if (raw.length === 3) this.#key('\x1b');
      this.#events.push(keyOfCharacter(raw.slice(-1), { ...PLAIN, alt: true }, raw.slice(-2)));
    } else if (raw !== '') {
      this.#unknown(raw);
    }
    return this.#handOut();
  }

  #handOut(): readonly InputEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #key(character: string): void {
    this.#events.push(keyOfCharacter(character));
  }

  #unknown(raw: string): void {
    this.#events.push({ kind: 'unknown', raw });
  }

  #ground(): void {
    this.#state = 'ground';
    this.#raw = '';
    this.#alt = false;
  }

  #take(character: string): void {
    switch (this.#state) {
      case 'ground':
        if (character === '\x1b') this.#begin('escape', character);
        else this.#key(character);
        return;
      case 'escape':
        this.#afterEscape(character);
        return;
      case 'escape-escape':
        if (character === '[' || character === 'O') {
          this.#alt = true;
          this.#begin(character === '[' ? 'csi' : 'ss3', character);
          return;
        }
        this.#key('\x1b');
        if (character === '\x1b') return;
        this.#raw = '\x1b';
        this.#afterEscape(character);
        return;
      case 'paste':
        this.#inPaste(character);
        return;
      case 'string-start':
      case 'string':
      case 'string-escape':
        this.#inString(character);
        return;
      default:
        this.#inSequence(character);
    }
  }

  /** Enters a state with one more character of the sequence. */
  #begin(state: State, character: string): void {
    this.#state = state;
    if (this.#raw.length < SEQUENCE_MAX) this.#raw += character;
  }

  #afterEscape(character: string): void {
    if (character === '\x1b') this.#begin('escape-escape', character);
    else if (character === '[') this.#begin('csi', character);
    else if (character === 'O') this.#begin('ss3', character);
    else if (character === ']' || character === 'P') this.#begin('string-start', character);
    else {
      this.#ground();
      this.#events.push(keyOfCharacter(character, { ...PLAIN, alt: true }, `\x1b${character}`));
    }
  }

  #inSequence(character: string): void {
    const raw = this.#raw + character;
    if (this.#state === 'x10-mouse') {
      if (raw.length < 6 + (this.#alt ? 1 : 0)) this.#begin('x10-mouse', character);
      else this.#finish({ kind: 'unknown', raw });
      return;
    }
    if (character < ' ' || character > '~') {
      this.#interrupted(character);
      return;
    }
    const parameters = this.#raw.slice(this.#alt ? 3 : 2);
    if (this.#state === 'console-function') {
      this.#finish(decodeConsoleFunction(character, this.#alt, raw));
    } else if (this.#state === 'ss3') {
      const more = ((character >= '0' && character <= '9') || character === ';') && parameters.length < 4;
      if (more) this.#begin('ss3', character);
      else this.#finish(decodeSs3(parameters, character, this.#alt, raw));
    } else if (character < '@') {
      const overlong = this.#state === 'csi-overlong' || raw.length >= SEQUENCE_MAX;
      this.#begin(overlong ? 'csi-overlong' : 'csi', character);
    } else if (this.#state === 'csi-overlong') {
      this.#finish({ kind: 'unknown', raw });
    } else if (character === '[' && parameters === '') {
      this.#begin('console-function', character);
    } else if (character === 'M' && parameters === '') {
      this.#begin('x10-mouse', character);
    } else if (character === '~' && parameters === '200') {
      this.#ground();
      this.#state = 'paste';
      this.#paste = new PasteText();
      this.#stalled = false;
    } else {
      this.#finish(decodeCsi(parameters, character, this.#alt, raw));
    }
  }

  #finish(event: InputEvent): void {
    this.#ground();
    this.#events.push(event);
  }

  /** A character that no sequence contains: the sequence is over, the character counts for itself. */
  #interrupted(character: string): void {
    this.#unknown(this.#raw);
    this.#ground();
    this.#take(character);
  }

  #inString(character: string): void {
    if (this.#state === 'string-start') {
      // Replies begin with a number (OSC) or with a parameter (DCS); otherwise Alt-] or Alt-P was typed.
      if (/[\d!+$>|]/.test(character)) {
        this.#begin('string', character);
        return;
      }
      const introducer = this.#raw.slice(-1);
      this.#ground();
      this.#events.push(keyOfCharacter(introducer, { ...PLAIN, alt: true }, `\x1b${introducer}`));
      this.#take(character);
    } else if (this.#state === 'string-escape') {
      if (character === '\\') this.#finish({ kind: 'unknown', raw: this.#raw });
      else {
        this.#unknown(this.#raw);
        this.#ground();
        this.#take('\x1b');
        this.#take(character);
      }
    } else if (character === '\x07') {
      this.#finish({ kind: 'unknown', raw: this.#raw });
    } else if (character === '\x1b') {
      this.#state = 'string-escape';
    } else if (character < ' ') {
      this.#interrupted(character);
    } else {
      this.#begin('string', character);
    }
  }

  #inPaste(character: string): void {
    if (this.#stalled && character === '\x03') {
      this.#hand(this.#paste.take());
      this.#ground();
      this.#key(character);
      return;
    }
    this.#stalled = false;
    const full = this.#paste.add(character);
    this.#hand(full);
    if (!this.#paste.isEnded) return;
    this.#hand(this.#paste.take());
    this.#ground();
  }

  #hand(pasted: string): void {
    if (pasted !== '') this.#events.push({ kind: 'paste', text: pasted });
  }
}
