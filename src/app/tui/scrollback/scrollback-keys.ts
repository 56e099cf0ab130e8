/**
 * The keys of the scrollback: those of `less`, and of the panes where they mean the same. The help that lists keys is
 * printed from this table.
 */
import { chordOf, type InputEvent } from '../../prompt/keys.ts';

export type ScrollbackAction =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'half-up'
  | 'half-down'
  | 'first'
  | 'last'
  | 'previous-command'
  | 'next-command'
  | 'fold'
  | 'wrap'
  | 'find'
  | 'next-match'
  | 'previous-match'
  | 'follow-object'
  | 'insert'
  | 'select'
  | 'select-part'
  | 'cell-left'
  | 'cell-right'
  | 'word-left'
  | 'word-right'
  | 'line-start'
  | 'line-end'
  | 'copy'
  | 'copy-object'
  | 'copy-output'
  | 'leave';

interface Binding {
  readonly keys: readonly string[];
  readonly action: ScrollbackAction;
  readonly description: string;
  /** It means this while a part of a line is selected, before others. */
  readonly isForPart?: boolean;
}

function bind(keys: string, action: ScrollbackAction, description: string): Binding {
  return { keys: keys.split(' '), action, description };
}

function forPart(keys: string, action: ScrollbackAction, description: string): Binding {
  return { ...bind(keys, action, `selecting a part: ${description}`), isForPart: true };
}

/** In the order that help shows them. */
export const SCROLLBACK_KEYS: readonly Binding[] = [
  bind('up k', 'up', 'one line up'),
  bind('down j', 'down', 'one line down'),
  bind('left h', 'left', 'the object to the left; without wrapping: scroll to the side'),
  bind('right l', 'right', 'the object to the right; without wrapping: scroll to the side'),
  bind('page-up b ctrl-b', 'page-up', 'a page up'),
  bind('page-down space ctrl-f', 'page-down', 'a page down'),
  bind('u ctrl-u', 'half-up', 'half a page up'),
  bind('d ctrl-d', 'half-down', 'half a page down'),
  bind('home g alt-<', 'first', 'to the first line'),
  bind('end G alt->', 'last', 'to the last line'),
  bind('{ [', 'previous-command', 'to the command before'),
  bind('} ]', 'next-command', 'to the command after'),
  bind('o tab', 'fold', "fold the command's output away; unfold it again"),
  bind('w', 'wrap', 'wrap long lines, or scroll to the side'),
  bind('/', 'find', 'find a text, in the lines above first'),
  bind('n', 'next-match', 'the match above'),
  bind('N', 'previous-match', 'the match below'),
  bind('enter', 'follow-object', 'follow the object that is marked'),
  bind('i', 'insert', 'put the object into the prompt'),
  bind('v', 'select', 'select lines: move, then y; Esc lets go'),
  bind('s', 'select-part', 'select a part of a line, from the object on: move, then y'),
  forPart('left h', 'cell-left', 'a character to the left'),
  forPart('right l', 'cell-right', 'a character to the right'),
  forPart('b', 'word-left', 'to the word before'),
  forPart('w', 'word-right', 'to the next word'),
  forPart('0 home', 'line-start', 'to the start of the line'),
  forPart('$ end', 'line-end', 'to the end of the line'),
  bind('y', 'copy', 'copy what is selected, or this line'),
  bind('c', 'copy-object', 'copy the object'),
  bind('Y', 'copy-output', 'copy the output of this command'),
  bind('escape q', 'leave', 'let go of the selection; then to the prompt'),
];

/** The action of a key, if it has one here; `isPart` while a part of a line is selected. */
export function scrollbackAction(event: InputEvent, isPart: boolean): ScrollbackAction | undefined {
  if (event.kind !== 'key') return undefined;
  const chord = chordOf(event);
  const bound = SCROLLBACK_KEYS.filter(({ keys }) => keys.includes(chord));
  const own = isPart ? bound.find(({ isForPart }) => isForPart === true) : undefined;
  return (own ?? bound.find(({ isForPart }) => isForPart !== true))?.action;
}
