/**
 * Kill and yank: what is deleted by words or lines can be put back. Kills in a row become one text; yank-pop exchanges
 * what was just yanked for the text killed before it.
 */
import { BELL, type Change, type EditorState, replaced } from './editor-state.ts';

const RING_MAX = 32;

/** Kills from the cursor to `target`, which may lie on either side of it. */
export function kill(state: EditorState, target: number): Change {
  if (target === state.cursor) return BELL;
  const start = Math.min(target, state.cursor);
  const end = Math.max(target, state.cursor);
  const killed = state.text.slice(start, end);
  const joins = state.previous.kind === 'kill' && state.killRing.length > 0;
  const last = state.killRing.at(-1) ?? '';
  const text = joins ? (target < state.cursor ? killed + last : last + killed) : killed;
  const ring = joins ? state.killRing.slice(0, -1) : state.killRing.slice(-(RING_MAX - 1));
  return { ...replaced(state, start, end, ''), killRing: [...ring, text], previous: { kind: 'kill' } };
}

export function yank(state: EditorState): Change {
  const text = state.killRing.at(-1);
  if (text === undefined) return BELL;
  const start = state.cursor;
  return { ...replaced(state, start, start, text), previous: { kind: 'yank', start, back: 0 } };
}

export function yankPop(state: EditorState): Change {
  const { previous, killRing } = state;
  if (previous.kind !== 'yank') return BELL;
  const back = (previous.back + 1) % killRing.length;
  const text = killRing.at(-1 - back) ?? '';
  return { ...replaced(state, previous.start, state.cursor, text), previous: { ...previous, back } };
}
