/**
 * The one table of the screen's keys, beside the line editor's (../prompt/keymap.ts): a chord, what it does, where. The
 * help that `?` shows is printed from it, and the config file binds keys anew by it.
 */
import { chordOf, type InputEvent } from '../prompt/keys.ts';

/** What can be done by a key; the names are those of the config file. */
export type ScreenAction =
  | 'palette'
  | 'keys'
  | 'cancel'
  | 'suspend'
  | 'redraw'
  | 'to-prompt'
  | 'to-scrollback'
  | 'last-pane'
  | 'pane-1'
  | 'pane-2'
  | 'pane-3'
  | 'pane-4'
  | 'pane-5'
  | 'pane-6'
  | 'pane-7'
  | 'pane-8'
  | 'pane-9'
  | 'next-pane'
  | 'previous-pane'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'follow-object'
  | 'back'
  | 'unfold'
  | 'unfold-all'
  | 'insert'
  | 'stack'
  | 'code'
  | 'memory'
  | 'find'
  | 'filter'
  | 'next-match'
  | 'previous-match'
  | 'find-symbol'
  | 'edit-command'
  | 'next-view'
  | 'previous-view'
  | 'read-again'
  | 'read-all'
  | 'tail'
  | 'pause'
  | 'pin'
  | 'zoom'
  | 'hide'
  | 'swap'
  | 'taller'
  | 'shorter'
  | 'wider'
  | 'narrower'
  | 'reset-layout'
  | 'copy-object'
  | 'copy-line'
  | 'copy-all'
  | 'note'
  | 'walk-here'
  | 'walk-up'
  | 'walk-down'
  | 'walk-next'
  | 'walk-prev'
  | 'walk-back';

/** Where a key means this: in every place, in a pane that has the keys, or in the pane of a walk, before the others. */
export type Where = 'anywhere' | 'pane' | 'walk';

export interface ScreenBinding {
  readonly keys: readonly string[];
  readonly action: ScreenAction;
  readonly where: Where;
  readonly description: string;
}

function bind(where: Where, keys: string, action: ScreenAction, description: string): ScreenBinding {
  return { keys: keys.split(' '), action, where, description };
}

/** In the order that help shows them. */
export const SCREEN_KEYS: readonly ScreenBinding[] = [
  bind('anywhere', 'ctrl-c', 'cancel', 'stop the running command'),
  bind('anywhere', 'ctrl-z', 'suspend', 'suspend kdbg; fg brings it back'),
  bind('anywhere', 'ctrl-l', 'redraw', 'draw the whole screen anew'),
  bind('anywhere', 'alt-0', 'to-prompt', 'to the prompt'),
  bind('anywhere', 'alt-s', 'to-scrollback', 'to what was printed: read it, find in it, copy from it'),
  bind('anywhere', 'alt-1', 'pane-1', 'to the tasks; again: over the whole screen'),
  bind('anywhere', 'alt-2', 'pane-2', 'to the stacks'),
  bind('anywhere', 'alt-3', 'pane-3', 'to the trace buffer'),
  bind('anywhere', 'alt-4', 'pane-4', 'to the symbols'),
  bind('anywhere', 'alt-5', 'pane-5', 'to the locks'),
  bind('anywhere', 'alt-6', 'pane-6', 'to the kernel log'),
  bind('anywhere', 'alt-7', 'pane-7', 'to the notes'),
  bind('anywhere', 'alt-8', 'pane-8', 'to the walk along locks'),
  bind('anywhere', 'alt-9', 'pane-9', 'to the lesson'),
  bind('anywhere', 'alt-z', 'zoom', 'zoom: over the whole screen, and back'),

  bind('walk', 'up', 'walk-up', 'walk up: to the owner of the lock'),
  bind('walk', 'down', 'walk-down', 'walk down: to the first who waits for a lock that this task owns'),
  bind('walk', 'right', 'walk-next', 'walk next: to the next one in the queue'),
  bind('walk', 'left', 'walk-prev', 'walk prev: to the one before in the queue'),
  bind('walk', 'backspace [', 'walk-back', 'walk back: to the step before'),

  bind('pane', 'escape : 0 q', 'to-prompt', 'to the prompt'),
  bind('pane', '1', 'pane-1', 'to the tasks; again: over the whole screen'),
  bind('pane', '2', 'pane-2', 'to the stacks'),
  bind('pane', '3', 'pane-3', 'to the trace buffer'),
  bind('pane', '4', 'pane-4', 'to the symbols'),
  bind('pane', '5', 'pane-5', 'to the locks'),
  bind('pane', '6', 'pane-6', 'to the kernel log'),
  bind('pane', '7', 'pane-7', 'to the notes'),
  bind('pane', '8', 'pane-8', 'to the walk along locks'),
  bind('pane', '9', 'pane-9', 'to the lesson'),
  bind('pane', 'tab', 'next-pane', 'to the next pane'),
  bind('pane', 'shift-tab', 'previous-pane', 'to the pane before'),
  bind('pane', '?', 'keys', 'these keys'),
  bind('pane', 'ctrl-p', 'palette', 'find a command, symbol, task or type'),

  bind('pane', 'up k', 'up', 'one line up'),
  bind('pane', 'down j', 'down', 'one line down'),
  bind('pane', 'left h', 'left', 'the object to the left; scroll to the side'),
  bind('pane', 'right l', 'right', 'the object to the right; scroll to the side'),
  bind('pane', 'page-up ctrl-b', 'page-up', 'a page up'),
  bind('pane', 'page-down ctrl-f', 'page-down', 'a page down'),
  bind('pane', 'home g alt-<', 'first', 'to the first line'),
  bind('pane', 'end G alt->', 'last', 'to the last line'),

  bind('pane', 'enter', 'follow-object', 'follow the object that is marked'),
  bind('pane', 'backspace [', 'back', 'back to what was shown before'),
  bind('pane', 'space', 'unfold', 'unfold a frame or a call; fold it again'),
  bind('pane', '*', 'unfold-all', 'unfold a call with all that is within it; fold it again'),
  bind('pane', 'b', 'stack', 'the stack of the task'),
  bind('pane', 'd', 'code', 'the code of the function or address'),
  bind('pane', 'x', 'memory', 'the memory at the address'),
  bind('pane', 'o', 'walk-here', 'walk along locks, from the task or lock'),
  bind('pane', 'i', 'insert', 'put the object into the prompt'),

  bind('pane', '/', 'find', 'find a text in the pane'),
  bind('pane', 'n', 'next-match', 'the next match'),
  bind('pane', 'N', 'previous-match', 'the match before'),
  bind('pane', '&', 'filter', 'show only lines with a text; ! before it: without it'),
  bind('pane', 'f', 'find-symbol', 'search the symbol table'),
  bind('pane', 'e', 'edit-command', 'change the command of the pane'),
  bind('pane', 'v', 'next-view', 'the next view of the pane'),
  bind('pane', 'V', 'previous-view', 'the view before'),
  bind('pane', 'r', 'read-again', 'read the pane again'),
  bind('pane', 'R', 'read-all', 'read all panes again'),
  bind('pane', 'F', 'tail', 'stay at the end; on a live target: read again and again'),
  bind('pane', 'p', 'pause', 'hold what is shown; again: go on'),
  bind('pane', 'P', 'pin', 'pin the pane: it stays when another task or symbol is chosen'),

  bind('pane', 'a', 'note', 'add a note about what is selected'),

  bind('pane', 'z', 'zoom', 'zoom: over the whole screen, and back'),
  bind('pane', 'H', 'hide', 'hide the pane'),
  bind('pane', 'w', 'swap', 'exchange it with the next pane'),
  bind('pane', '+ =', 'taller', 'taller'),
  bind('pane', '-', 'shorter', 'shorter'),
  bind('pane', '>', 'wider', 'wider'),
  bind('pane', '<', 'narrower', 'narrower'),
  bind('pane', 'ctrl-r', 'reset-layout', 'the layout that fits this terminal'),
  bind('pane', 'c', 'copy-object', 'copy the object'),
  bind('pane', 'y', 'copy-line', 'copy the line'),
  bind('pane', 'Y', 'copy-all', 'copy all lines of the pane'),
];

/** The action of a key, if it has one there. */
export function screenAction(
  table: readonly ScreenBinding[],
  event: InputEvent,
  where: Where,
): ScreenAction | undefined {
  if (event.kind !== 'key') return undefined;
  const chord = chordOf(event);
  return table.find((binding) => binding.where === where && binding.keys.includes(chord))?.action;
}

/**
 * The table with keys bound anew: `{ "zoom": "f5 z" }` gives an action these keys and no others, wherever it is bound.
 * Returns what is wrong beside it: an unknown action, a key that another action loses.
 */
export function rebindScreen(
  table: readonly ScreenBinding[],
  changes: Readonly<Record<string, string>>,
): { readonly table: readonly ScreenBinding[]; readonly troubles: readonly string[] } {
  const troubles: string[] = [];
  let result = table;
  for (const [action, text] of Object.entries(changes)) {
    const first = table.find((binding) => binding.action === action);
    if (first === undefined) {
      troubles.push(`keys: there is no action "${action}"; ? lists the keys`);
      continue;
    }
    const keys = text.split(' ').filter((key) => key !== '');
    result = result
      .filter((binding) => binding.action !== action || binding.where === first.where)
      .map((binding) =>
        binding.action === action
          ? { ...binding, keys }
          : { ...binding, keys: binding.keys.filter((key) => binding.where !== first.where || !keys.includes(key)) },
      );
  }
  return { table: result, troubles };
}
