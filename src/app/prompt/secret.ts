/**
 * A question's prompt: keys to a text that is never in the history, the kill ring or the undo list, and never shown if
 * it is a secret.
 */
import { clustersOf, showCluster, showText } from './graphemes.ts';
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

interface SecretOptions {
  readonly prompt: string;
  /** Draws the answer as it is typed: a question that is no secret. */
  readonly echo: boolean;
  /** Cells of a row of the terminal. */
  readonly width: () => number;
  readonly write: (text: string) => void;
  readonly onDone: (answer: string | undefined) => void;
}

/** One secret being read on a terminal: only the prompt is ever drawn, unless it is a plain answer. */
export class SecretSession {
  readonly #options: SecretOptions;
  #text = '';
  #done = false;

  constructor(options: SecretOptions) {
    this.#options = options;
  }

  handle(event: InputEvent): void {
    const step = editSecret(this.#text, event);
    if (step.kind === 'cancelled') {
      this.end(undefined);
      return;
    }
    this.#text = step.text;
    if (step.kind === 'done') this.end(step.text);
  }

  end(secret: string | undefined): void {
    if (this.#done) return;
    // A last key that came with Enter has not been drawn.
    this.paint();
    this.#done = true;
    this.#text = '';
    this.#options.write('\r\n');
    this.#options.onDone(secret);
  }

  /** Always one row, or drawing it again would begin below its first: of a longer text the end is seen. */
  paint(): void {
    if (this.#done) return;
    const { prompt, echo, width, write } = this.#options;
    write(`\r\x1b[J${endOf(echo ? prompt + this.#text : prompt, width() - 1)}`);
  }

  /** Takes the prompt off the screen, to print something in its place. */
  withdraw(): void {
    this.#options.write('\r\x1b[J');
  }
}

/** The end of a text that fits in `width` cells, made harmless. */
function endOf(text: string, width: number): string {
  const whole = showText(text);
  if (whole.width <= width) return whole.text;
  let shown = '';
  let cells = 2;
  for (const cluster of clustersOf(text).toReversed()) {
    const { text: part, width: partWidth } = showCluster(cluster);
    cells += partWidth;
    if (cells > width) break;
    shown = part + shown;
  }
  return `..${shown}`;
}
