/**
 * A passphrase prompt: keys to a text that is never shown, never in the history, the kill ring or the undo list.
 */
import type { InputEvent } from './keys.ts';
import { chordOf } from './keys.ts';

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
