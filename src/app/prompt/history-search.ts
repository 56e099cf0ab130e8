/**
 * Incremental search through the history (C-r, C-s). The query is matched anywhere in an entry; without capitals in it
 * capitals do not matter. The line shows the match as it is typed, Enter runs it, Esc or an editing key keeps it for
 * editing, C-g goes back to what was there before.
 */
import { BELL, type Change, type EditorState, type Search } from './editor-state.ts';
import { previousCluster, snapToCluster } from './graphemes.ts';

/** Characters that a query may have. */
const QUERY_MAX = 256;

function find(text: string, query: string): number {
  return /\p{Lu}/u.test(query) ? text.indexOf(query) : text.toLowerCase().indexOf(query);
}

/** Searches from `from` on in the search's direction; `beside` is a text that does not count as a new match. */
function seek(state: EditorState, search: Search, from: number, beside?: string): Change {
  const { entries } = state;
  const step = search.direction === 'older' ? -1 : 1;
  const start = step < 0 ? Math.min(from, entries.length - 1) : from;
  for (let index = start; index >= 0 && index < entries.length; index += step) {
    const text = entries[index] ?? '';
    const found = text === beside ? -1 : find(text, search.query);
    if (found < 0) continue;
    return { text, cursor: snapToCluster(text, found), search: { ...search, index, found, failed: false } };
  }
  return { search: { ...search, failed: true }, ...BELL };
}

/** Begins a search, or goes on to the next match when one is under way. */
export function search(state: EditorState, direction: Search['direction']): Change {
  const before = { text: state.text, cursor: state.cursor, index: state.index };
  if (state.search === undefined) {
    return { search: { query: '', direction, index: state.index, found: -1, failed: false, before } };
  }
  const query = state.search.query === '' ? state.lastQuery : state.search.query;
  const next: Search = { ...state.search, query, direction };
  if (query === '') return { search: next };
  const step = direction === 'older' ? -1 : 1;
  const from = state.search.found < 0 && direction === 'older' ? state.search.index : state.search.index + step;
  return seek(state, next, from, state.search.found < 0 ? undefined : state.text);
}

/** The query grows: the entry that is shown may still match. */
export function extendSearch(state: EditorState, current: Search, text: string): Change {
  const query = (current.query + text).slice(0, QUERY_MAX);
  return seek(state, { ...current, query }, current.index);
}

/** The query shrinks: back to the first match of what is left. */
export function shrinkSearch(state: EditorState, current: Search): Change {
  const { query, before } = current;
  const shorter = query.slice(0, previousCluster(query, query.length));
  const next: Search = { ...current, query: shorter, index: before.index, found: -1, failed: false };
  if (shorter === '') return { text: before.text, cursor: before.cursor, search: next };
  return seek(state, next, before.index);
}

/** Ends the search and keeps the match, as the entry of the history that it is. */
export function keepMatch(state: EditorState, current: Search): Change {
  const drafts = new Map(state.drafts);
  if (current.found >= 0 && current.index !== current.before.index)
    drafts.set(current.before.index, current.before.text);
  const index = current.found >= 0 ? current.index : current.before.index;
  return { search: undefined, index, drafts, lastQuery: current.query === '' ? state.lastQuery : current.query };
}

/** Ends the search and goes back. */
export function abortSearch(state: EditorState, current: Search): Change {
  const { text, cursor, index } = current.before;
  return { text, cursor, index, search: undefined, lastQuery: current.query === '' ? state.lastQuery : current.query };
}
