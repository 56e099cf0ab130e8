/**
 * The one table of the prompt's keys: a chord, what it does, when. The help that lists keys is printed from it, and a
 * key is bound anew by replacing a row. Chords are written as `chordOf` (keys.ts) writes them.
 */
import type { Action, ActionName, Mode } from './editor-state.ts';
import { chordOf, type InputEvent } from './keys.ts';

export interface Binding {
  readonly keys: readonly string[];
  readonly action: ActionName;
  readonly when: Mode;
  /** One line, lower case, no full stop. */
  readonly description: string;
}

export type Keymap = readonly Binding[];

function bind(when: Mode, keys: string, action: ActionName, description: string): Binding {
  return { keys: keys.split(' '), action, when, description };
}

/** The keys of the line editor, in the order that help shows them. */
export const DEFAULT_KEYMAP: Keymap = [
  bind('editing', 'enter ctrl-j', 'accept-line', 'run the line'),
  bind('editing', 'alt-enter shift-enter', 'insert-newline', 'add a line below without running'),
  bind('editing', 'tab', 'complete', 'complete the word; again: choose from the menu'),
  bind('editing', 'f1 alt-?', 'help', 'explain what is under the cursor'),
  bind('editing', 'ctrl-c', 'interrupt', 'stop the running command, or abandon the line'),
  bind('editing', 'ctrl-d', 'end-or-delete', 'delete to the right; on an empty line: leave'),
  bind('editing', 'ctrl-l', 'clear-screen', 'clear the screen'),
  bind('editing', 'ctrl-z', 'suspend', 'suspend kdbg; fg brings it back'),
  bind('editing', 'escape ctrl-g', 'cancel', 'dismiss a message'),

  bind('editing', 'left ctrl-b', 'character-left', 'one character left'),
  bind('editing', 'right ctrl-f', 'character-right', 'one character right; at the end: take the suggestion'),
  bind('editing', 'alt-b alt-left ctrl-left', 'word-left', 'one word left'),
  bind(
    'editing',
    'alt-f alt-right ctrl-right',
    'word-right',
    'one word right; at the end: take one word of the suggestion',
  ),
  bind('editing', 'ctrl-a home', 'line-start', 'to the start of the line'),
  bind('editing', 'ctrl-e end', 'line-end', 'to the end of the line; at the end: take the suggestion'),

  bind('editing', 'backspace ctrl-h shift-backspace', 'delete-left', 'delete to the left'),
  bind('editing', 'delete', 'delete-right', 'delete to the right'),
  bind('editing', 'ctrl-w', 'kill-blank-word-left', 'cut back to a blank'),
  bind('editing', 'alt-backspace ctrl-alt-h ctrl-backspace', 'kill-word-left', 'cut the word to the left'),
  bind('editing', 'alt-d ctrl-delete alt-delete', 'kill-word-right', 'cut the word to the right'),
  bind('editing', 'ctrl-k', 'kill-to-end', 'cut to the end of the line'),
  bind('editing', 'ctrl-u', 'kill-to-start', 'cut to the start of the line'),
  bind('editing', 'ctrl-y', 'yank', 'insert what was cut'),
  bind('editing', 'alt-y', 'yank-pop', 'after that: what was cut before it'),
  bind(
    'editing',
    'alt-. alt-_',
    'yank-last-argument',
    'insert the last argument of the command before; again: further back',
  ),
  bind('editing', 'ctrl-t', 'transpose-characters', 'exchange two characters'),
  bind('editing', 'alt-t', 'transpose-words', 'exchange two words'),
  bind('editing', 'alt-u', 'upcase-word', 'the word in capitals'),
  bind('editing', 'alt-l', 'downcase-word', 'the word in small letters'),
  bind('editing', 'alt-c', 'capitalize-word', 'the word with a capital'),
  bind('editing', 'ctrl-_', 'undo', 'undo'),
  bind('editing', 'ctrl-v ctrl-q', 'quote-next', 'insert the next key as it is'),

  bind('editing', 'up ctrl-p', 'history-older', 'the command before'),
  bind('editing', 'down ctrl-n', 'history-newer', 'the command after'),
  bind('editing', 'alt-p page-up', 'history-older-prefix', 'the command before that begins like this'),
  bind('editing', 'alt-n page-down', 'history-newer-prefix', 'the command after that begins like this'),
  bind('editing', 'alt-<', 'history-first', 'the oldest command'),
  bind('editing', 'alt->', 'history-last', 'back to the new line'),
  bind('editing', 'ctrl-r', 'search-older', 'search the history'),
  bind('editing', 'ctrl-s', 'search-newer', 'search the history forward'),

  bind('search', 'ctrl-r up', 'search-older', 'the match before'),
  bind('search', 'ctrl-s down', 'search-newer', 'the match after'),
  bind('search', 'enter ctrl-j', 'accept-line', 'run the match'),
  bind('search', 'escape', 'search-keep', 'edit the match'),
  bind('search', 'ctrl-g', 'search-abort', 'back to the line before the search'),
  bind('search', 'backspace ctrl-h', 'search-delete', 'shorten the query'),

  bind('menu', 'tab down ctrl-n', 'menu-next', 'the candidate below'),
  bind('menu', 'shift-tab up ctrl-p', 'menu-previous', 'the candidate above'),
  bind('menu', 'page-down', 'menu-page-down', 'a page down'),
  bind('menu', 'page-up', 'menu-page-up', 'a page up'),
  bind('menu', 'enter ctrl-j', 'menu-accept', 'take the candidate; with none chosen: run the line'),
  bind('menu', 'escape ctrl-g', 'menu-close', 'back to what was typed'),
];

function lookUp(keymap: Keymap, chord: string, when: Mode): ActionName | undefined {
  return keymap.find((binding) => binding.when === when && binding.keys.includes(chord))?.action;
}

/**
 * The action of an event, or undefined when it has none. While searching and in the menu, a key without a meaning there
 * has the one it has while editing. Letters with a modifier are found in either case: Caps Lock changes no command.
 */
export function actionOf(keymap: Keymap, event: InputEvent, mode: Mode): Action | undefined {
  if (event.kind === 'paste') return { name: 'paste', text: event.text };
  if (event.kind !== 'key') return undefined;
  if (mode === 'quoting') return { name: 'insert', text: event.raw.replace(/\r/g, '\n') };
  const chord = chordOf(event);
  const lower = chordOf({ ...event, name: event.name.toLowerCase() });
  for (const when of mode === 'editing' ? [mode] : ([mode, 'editing'] as const)) {
    const name = lookUp(keymap, chord, when) ?? (event.text === '' ? lookUp(keymap, lower, when) : undefined);
    if (name !== undefined) return { name };
  }
  return event.text === '' ? undefined : { name: 'insert', text: event.text };
}

/** The keymap with `chord` bound to another action there, or to none. */
export function rebind(keymap: Keymap, when: Mode, chord: string, action: ActionName | undefined): Keymap {
  const without = keymap.map((binding) =>
    binding.when === when ? { ...binding, keys: binding.keys.filter((key) => key !== chord) } : binding,
  );
  if (action === undefined) return without;
  const known = without.find((binding) => binding.when === when && binding.action === action);
  if (known === undefined) {
    const description = keymap.find((binding) => binding.action === action)?.description ?? action;
    return [...without, { keys: [chord], action, when, description }];
  }
  return without.map((binding) => (binding === known ? { ...binding, keys: [...binding.keys, chord] } : binding));
}

/** The table as help prints it: the keys of each action and what they do, by mode. */
export function describeKeys(keymap: Keymap): readonly { when: Mode; keys: string; description: string }[] {
  return keymap
    .filter((binding) => binding.keys.length > 0)
    .map(({ when, keys, description }) => ({ when, keys: keys.join(', '), description }));
}
