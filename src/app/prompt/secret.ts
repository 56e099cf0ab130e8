/**
 * A passphrase prompt: keys to a text that is never shown, never in the history, the kill ring or the undo list.
 */
import { showText } from './graphemes.ts';
import { chordOf, type InputEvent } from './keys.ts';

/** Characters that a secret may have. */
const SECRET_MAX = 4096;

export type SecretStep =
  | { readonly kind: 'more'; readonly text: string }
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'cancelled' };

/** One event of a secret prompt. A paste gives its first line and submits nothing. */
export function editSecret(text: string, event: InputEvent): SecretStep {
  const more = (next: string): SecretStep => ({ kind: 'more', text: next.length > SECRET_MAX ? text : next });
  if (event.kind === 'paste') return more(text + (event.text.split('\n', 1)[0] ?? ''));
  if (event.kind !== 'key') return more(text);
  switch (chordOf(event)) {
    case 'enter':
    case 'ctrl-j':
      return { kind: 'done', text };
    case 'ctrl-c':
      return { kind: 'cancelled' };
    case 'ctrl-d':
      return text === '' ? { kind: 'cancelled' } : more(text);
    case 'backspace':
    case 'ctrl-h':
      return more(Array.from(text).slice(0, -1).join(''));
    case 'ctrl-u':
    case 'ctrl-w':
      return more('');
    default:
      return more(text + event.text);
  }
}

/** One secret being read on a terminal: only the prompt is ever drawn. */
export class SecretSession {
  readonly #prompt: string;
  readonly #write: (text: string) => void;
  readonly #onDone: (secret: string | undefined) => void;
  #text = '';
  #done = false;

  constructor(prompt: string, write: (text: string) => void, onDone: (secret: string | undefined) => void) {
    this.#prompt = showText(prompt).text;
    this.#write = write;
    this.#onDone = onDone;
  }

  handle(event: InputEvent): void {
    const step = editSecret(this.#text, event);
    if (step.kind === 'more') this.#text = step.text;
    else this.end(step.kind === 'done' ? step.text : undefined);
  }

  end(secret: string | undefined): void {
    if (this.#done) return;
    this.#done = true;
    this.#text = '';
    this.#write('\r\n');
    this.#onDone(secret);
  }

  paint(): void {
    if (!this.#done) this.#write(`\r\x1b[J${this.#prompt}`);
  }

  /** Takes the prompt off the screen, to print something in its place. */
  withdraw(): void {
    this.#write('\r\x1b[J');
  }
}
