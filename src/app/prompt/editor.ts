/**
 * The line editor: a pure reducer with readline's emacs keys. `edit(state, action)` gives the next state; what the
 * terminal's owner must do (submit, ask for completions, ring) is the state's `effect`. Text and cursor are always
 * consistent: the cursor lies within the text and between two clusters.
 */
import * as menus from './completion-menu.ts';
import {
  type Action,
  type ActionName,
  BELL,
  type Change,
  type EditorState,
  LINE_MAX,
  type Previous,
  replaced,
  type Snapshot,
} from './editor-state.ts';
import { nextCluster, previousCluster, snapToCluster } from './graphemes.ts';
import { browse, browsePrefix, goTo, suggestionOf, takeSuggestion, yankLastArgument } from './history-browse.ts';
import { abortSearch, extendSearch, keepMatch, search, shrinkSearch } from './history-search.ts';
import { kill, yank, yankPop } from './kill-ring.ts';
import * as words from './words.ts';

const UNDO_MAX = 500;
/** Characters typed in a row that one undo takes back, as in readline. */
const UNDO_GROUP = 20;
/** Candidates that page up and page down pass in the menu. */
const MENU_PAGE = 8;

/** The state after an action. */
export function edit(state: EditorState, action: Action): EditorState {
  const { search: searching, menu } = state;
  if (searching !== undefined && !duringSearch(action)) return edit(edit(state, { name: 'search-keep' }), action);
  if (menu !== undefined && !duringMenu(action)) return edit({ ...state, menu: undefined }, action);
  const before: EditorState = { ...state, effect: undefined, quoting: false };
  const change = perform(before, action);
  if ((change.text ?? '').length > LINE_MAX && (change.text ?? '').length > state.text.length) {
    return { ...before, complaint: { column: undefined, message: 'the line is full' }, effect: { kind: 'bell' } };
  }
  const textChanges = change.text !== undefined && change.text !== before.text;
  const next: EditorState = {
    ...before,
    previous: { kind: 'other' },
    ...(textChanges ? { complaint: undefined } : {}),
    ...change,
  };
  const cursor = snapToCluster(next.text, next.cursor);
  return { ...next, cursor, undo: action.name === 'undo' ? next.undo : undoAfter(before, next, action) };
}

function duringSearch(action: Action): boolean {
  return action.name === 'insert' || action.name === 'paste' || action.name.startsWith('search-');
}

function duringMenu(action: Action): boolean {
  return action.name === 'insert' || action.name.startsWith('menu-') || action.name === 'complain';
}

/** The undo list after an edit: typing in a row, and candidates tried in turn, are one step. */
function undoAfter(before: EditorState, next: EditorState, action: Action): readonly Snapshot[] {
  if (next.search !== undefined) return before.undo;
  const from: Snapshot = before.search?.before ?? before;
  if (next.text === from.text) return before.undo;
  if (next.previous.kind === 'insert' && next.previous.length > 1) return before.undo;
  if (action.name.startsWith('menu-') && (before.menu?.selected ?? -1) >= 0) return before.undo;
  return [...before.undo.slice(-(UNDO_MAX - 1)), { text: from.text, cursor: from.cursor, index: from.index }];
}

function undo(state: EditorState): Change {
  for (let at = state.undo.length - 1; at >= 0; at--) {
    const snapshot = state.undo[at];
    if (snapshot === undefined || snapshot.text === state.text) continue;
    return { ...snapshot, undo: state.undo.slice(0, at) };
  }
  return { ...BELL, undo: [] };
}

function perform(state: EditorState, action: Action): Change {
  switch (action.name) {
    case 'insert':
      if (state.search !== undefined) return extendSearch(state, state.search, action.text);
      return insert(state, action.text);
    case 'paste':
      if (state.search !== undefined) return extendSearch(state, state.search, action.text.split('\n', 1)[0] ?? '');
      return paste(state, action.text);
    case 'offer':
      return menus.offer(state, action.asked, action.completion);
    case 'complain':
      return { complaint: { column: action.column, message: action.message }, ...BELL };
    default:
      return PERFORM[action.name](state);
  }
}

function insert(state: EditorState, text: string): Change {
  const { previous } = state;
  const blank = text.trim() === '';
  const joins = previous.kind === 'insert' && previous.length < UNDO_GROUP && (blank || !previous.blank);
  const line = replaced(state, state.cursor, state.cursor, text);
  const typed: Previous = { kind: 'insert', length: joins ? previous.length + 1 : 1, blank };
  return { ...line, previous: typed, menu: state.menu && menus.narrow(state.menu, line) };
}

/** Tabs and no-break spaces, which pages and chats put into what is copied from them, become blanks. */
function paste(state: EditorState, text: string): Change {
  const clean = text
    .replace(/\r\n?/g, '\n')
    .replace(/\n+$/, '')
    .replace(/[\t\u00a0]/g, ' ');
  const room = Math.max(0, LINE_MAX - state.text.length);
  if (clean.length <= room) return replaced(state, state.cursor, state.cursor, clean);
  const taken = clean.slice(0, previousCluster(clean, room + 1));
  const message = `the line is full: the last ${clean.length - taken.length} characters were not pasted`;
  return { ...replaced(state, state.cursor, state.cursor, taken), complaint: { column: undefined, message }, ...BELL };
}

function move(state: EditorState, cursor: number): Change {
  return cursor === state.cursor ? BELL : { cursor };
}

/** Moves right, or at the end takes the suggestion that is shown there. */
function moveRight(state: EditorState, cursor: number, how: 'all' | 'word'): Change {
  return suggestionOf(state) === '' ? move(state, cursor) : takeSuggestion(state, how);
}

function deleteRight(state: EditorState): Change {
  const end = nextCluster(state.text, state.cursor);
  return end === state.cursor ? BELL : replaced(state, state.cursor, end, '');
}

/** C-d: a key that repeats while it deletes must not end the session when the line has become empty. */
function endOrDelete(state: EditorState): Change {
  if (state.text === '' && state.previous.kind !== 'end-or-delete') return { effect: { kind: 'end-of-input' } };
  return { ...deleteRight(state), previous: { kind: 'end-or-delete' } };
}

/** C-c: the line is abandoned. It stays in the undo list: what was typed is not lost. */
function interrupt(state: EditorState): Change {
  const complaint = state.text === '' ? { column: undefined, message: 'to leave: exit, or Ctrl-D' } : undefined;
  const index = state.entries.length;
  return { text: '', cursor: 0, index, drafts: new Map(), complaint, effect: { kind: 'interrupt' } };
}

function effect(kind: 'complete' | 'help' | 'clear-screen' | 'suspend'): () => Change {
  return () => ({ effect: { kind } });
}

const PERFORM: Readonly<Record<ActionName, (state: EditorState) => Change>> = {
  'accept-line': (state) => ({ effect: { kind: 'submit', line: state.text } }),
  'insert-newline': (state) => replaced(state, state.cursor, state.cursor, '\n'),
  interrupt,
  'end-or-delete': endOrDelete,
  complete: effect('complete'),
  help: effect('help'),
  'clear-screen': effect('clear-screen'),
  suspend: effect('suspend'),
  'quote-next': () => ({ quoting: true }),
  undo,
  cancel: () => ({ complaint: undefined }),
  'character-left': (state) => move(state, previousCluster(state.text, state.cursor)),
  'character-right': (state) => moveRight(state, nextCluster(state.text, state.cursor), 'all'),
  'word-left': (state) => move(state, words.wordStart(state.text, state.cursor)),
  'word-right': (state) => moveRight(state, words.wordEnd(state.text, state.cursor), 'word'),
  'line-start': (state) => ({ cursor: words.lineStart(state.text, state.cursor) }),
  'line-end': (state) =>
    suggestionOf(state) === '' ? { cursor: words.lineEnd(state.text, state.cursor) } : takeSuggestion(state, 'all'),
  'delete-left': (state) => {
    const start = previousCluster(state.text, state.cursor);
    return start === state.cursor ? BELL : replaced(state, start, state.cursor, '');
  },
  'delete-right': deleteRight,
  'kill-blank-word-left': (state) => kill(state, words.blankWordStart(state.text, state.cursor)),
  'kill-word-left': (state) => kill(state, words.wordStart(state.text, state.cursor)),
  'kill-word-right': (state) => kill(state, words.wordEnd(state.text, state.cursor)),
  // At a line's end, or start, the line break itself goes.
  'kill-to-end': (state) => {
    const end = words.lineEnd(state.text, state.cursor);
    return kill(state, end === state.cursor ? Math.min(end + 1, state.text.length) : end);
  },
  'kill-to-start': (state) => {
    const start = words.lineStart(state.text, state.cursor);
    return kill(state, start === state.cursor ? Math.max(start - 1, 0) : start);
  },
  yank,
  'yank-pop': yankPop,
  'yank-last-argument': yankLastArgument,
  'transpose-characters': words.transposeCharacters,
  'transpose-words': words.transposeWords,
  'upcase-word': (state) => words.recaseWord(state, 'upper'),
  'downcase-word': (state) => words.recaseWord(state, 'lower'),
  'capitalize-word': (state) => words.recaseWord(state, 'capital'),
  'history-older': (state) => browse(state, -1),
  'history-newer': (state) => browse(state, 1),
  'history-older-prefix': (state) => browsePrefix(state, -1),
  'history-newer-prefix': (state) => browsePrefix(state, 1),
  'history-first': (state) => (state.entries.length === 0 ? BELL : goTo(state, 0)),
  'history-last': (state) => goTo(state, state.entries.length),
  'search-older': (state) => search(state, 'older'),
  'search-newer': (state) => search(state, 'newer'),
  'search-delete': (state) => (state.search === undefined ? {} : shrinkSearch(state, state.search)),
  'search-keep': (state) => (state.search === undefined ? {} : keepMatch(state, state.search)),
  'search-abort': (state) => (state.search === undefined ? {} : abortSearch(state, state.search)),
  'menu-next': (state) => (state.menu === undefined ? {} : menus.choose(state.menu, 1)),
  'menu-previous': (state) => (state.menu === undefined ? {} : menus.choose(state.menu, -1)),
  'menu-page-down': (state) => (state.menu === undefined ? {} : menus.choose(state.menu, MENU_PAGE)),
  'menu-page-up': (state) => (state.menu === undefined ? {} : menus.choose(state.menu, -MENU_PAGE)),
  'menu-accept': (state) => {
    if (state.menu === undefined) return {};
    const chosen = state.menu.selected >= 0;
    return chosen ? menus.accept(state, state.menu) : { menu: undefined, effect: { kind: 'submit', line: state.text } };
  },
  'menu-close': (state) => (state.menu === undefined ? {} : menus.close(state.menu)),
};
