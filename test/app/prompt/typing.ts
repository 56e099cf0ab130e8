/** Typing at the reducer as a terminal would: bytes through the tokeniser and the keymap. `|` marks the cursor. */
import { edit } from '../../../src/app/prompt/editor.ts';
import { type EditorState, type Effect, modeOf, newLine } from '../../../src/app/prompt/editor-state.ts';
import { actionOf, DEFAULT_KEYMAP } from '../../../src/app/prompt/keymap.ts';
import { Tokenizer } from '../../../src/app/prompt/tokenizer.ts';

/** A state with `|` in `marked` as the cursor. */
export function stateOf(marked: string, entries: readonly string[] = []): EditorState {
  const cursor = marked.indexOf('|');
  const state = newLine(entries, undefined, marked.replace('|', ''));
  return { ...state, cursor: cursor < 0 ? state.cursor : cursor };
}

export function markedOf(state: EditorState): string {
  return `${state.text.slice(0, state.cursor)}|${state.text.slice(state.cursor)}`;
}

/** The state after the bytes, and the effects on the way, without bells. */
export function typed(state: EditorState, bytes: string): { state: EditorState; effects: Effect[] } {
  const tokenizer = new Tokenizer();
  const effects: Effect[] = [];
  let next = state;
  for (const event of [...tokenizer.feed(bytes), ...tokenizer.flush()]) {
    const action = actionOf(DEFAULT_KEYMAP, event, modeOf(next));
    if (action === undefined) continue;
    next = edit(next, action);
    if (next.effect !== undefined && next.effect.kind !== 'bell') effects.push(next.effect);
  }
  return { state: next, effects };
}

/** The marked text after typing at a marked text. */
export function resultOf(marked: string, bytes: string, entries: readonly string[] = []): string {
  return markedOf(typed(stateOf(marked, entries), bytes).state);
}
