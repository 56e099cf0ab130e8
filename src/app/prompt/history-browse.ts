/**
 * Moving through the history: line by line, by the prefix that is typed, and taking its last arguments. An entry that
 * was changed keeps the change as a draft until the line is accepted, so that going up and down loses nothing.
 */
import { BELL, type Change, type EditorState, replaced } from './editor-state.ts';
import { nextCluster } from './graphemes.ts';
import { lastArgument, lineEnd, lineStart, wordEnd } from './words.ts';

/** The text that the history shows at an index, drafts first. */
function textAt(state: EditorState, index: number): string {
  if (index === state.index) return state.text;
  return state.drafts.get(index) ?? state.entries[index] ?? '';
}

/** Goes to an entry, keeping what was typed where one comes from. */
export function goTo(state: EditorState, index: number): Change {
  const text = textAt(state, index);
  const drafts = new Map(state.drafts);
  if (state.text === (state.entries[state.index] ?? '')) drafts.delete(state.index);
  else drafts.set(state.index, state.text);
  return { text, cursor: text.length, index, drafts };
}

/** Up and down: within a pasted text of several lines first, then through the history. */
export function browse(state: EditorState, step: -1 | 1): Change {
  const { text, cursor } = state;
  const start = lineStart(text, cursor);
  const end = lineEnd(text, cursor);
  if (step < 0 ? start > 0 : end < text.length) {
    const target = step < 0 ? lineStart(text, start - 1) : end + 1;
    const targetEnd = lineEnd(text, target);
    let at = target;
    for (let left = start; left < cursor && at < targetEnd; left = nextCluster(text, left)) at = nextCluster(text, at);
    return { cursor: at };
  }
  const index = state.index + step;
  return index < 0 || index > state.entries.length ? BELL : goTo(state, index);
}

/** The nearest entry, other than what is shown, that begins like the text before the cursor. */
export function browsePrefix(state: EditorState, step: -1 | 1): Change {
  const { previous } = state;
  const prefix = previous.kind === 'prefix' ? previous.prefix : state.text.slice(0, state.cursor);
  for (let index = state.index + step; index >= 0 && index <= state.entries.length; index += step) {
    const text = textAt(state, index);
    if (text.startsWith(prefix) && text !== state.text) {
      return { ...goTo(state, index), previous: { kind: 'prefix', prefix } };
    }
  }
  return { ...BELL, previous: { kind: 'prefix', prefix } };
}

/** Inserts the last argument of the previous command; again, that of the one before it. */
export function yankLastArgument(state: EditorState): Change {
  const { previous } = state;
  const again = previous.kind === 'argument';
  const start = again ? previous.start : state.cursor;
  for (let back = again ? previous.back + 1 : 1; back <= state.entries.length; back++) {
    const argument = lastArgument(state.entries.at(-back) ?? '');
    if (argument === '' || (again && argument === state.text.slice(start, state.cursor))) continue;
    return { ...replaced(state, start, state.cursor, argument), previous: { kind: 'argument', start, back } };
  }
  return { ...BELL, previous };
}

/** The rest of the newest entry that begins with the whole line: shown behind the cursor, taken by moving right. */
export function suggestionOf(state: EditorState): string {
  const { text } = state;
  if (text.trim() === '' || state.cursor !== text.length || state.index !== state.entries.length) return '';
  if (state.search !== undefined || state.menu !== undefined) return '';
  for (let index = state.entries.length - 1; index >= 0; index--) {
    const entry = state.entries[index] ?? '';
    if (entry.length > text.length && entry.startsWith(text)) return lineOf(entry.slice(text.length));
  }
  return '';
}

/** Only the rest of the line: an entry of several lines is not spread over the screen. */
function lineOf(rest: string): string {
  return rest.slice(0, lineEnd(rest, 0));
}

/** Takes the suggestion, whole or its first word. */
export function takeSuggestion(state: EditorState, how: 'all' | 'word'): Change {
  const suggestion = suggestionOf(state);
  if (suggestion === '') return BELL;
  const text = state.text + suggestion;
  const end = how === 'all' ? text.length : wordEnd(text, state.cursor);
  return { text: text.slice(0, end), cursor: end };
}
