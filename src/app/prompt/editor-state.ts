/**
 * What the line editor knows, and what can be done to it. The state is a value: `edit` (editor.ts) makes the next one
 * from an action, `view` (view.ts) draws it, and whoever owns the terminal carries out `effect`.
 */
import type { Line } from './words.ts';

/** One suggestion of completion. */
export interface Candidate {
  /** What replaces the completed range. */
  readonly text: string;
  /** How the menu shows it, if not as its text. */
  readonly display?: string | undefined;
  /** What explains it, in the menu's second column. */
  readonly detail?: string | undefined;
  /** Typed as well once it is chosen: a blank after a whole word. */
  readonly suffix?: string | undefined;
}

/** The answer to a completion: candidates for the text from `start` to `end`. */
export interface Completion {
  readonly start: number;
  readonly end: number;
  readonly candidates: readonly Candidate[];
  /** There are more candidates than these: what these have in common need not be common to all. */
  readonly partial?: boolean | undefined;
}

/** The completion menu, open below the line. */
export interface Menu {
  readonly candidates: readonly Candidate[];
  /** The candidate that stands in the line, or -1 while none is chosen. */
  readonly selected: number;
  /** Where the candidate's text begins. */
  readonly start: number;
  /** The line as it was before a candidate was put in; Esc returns to it. */
  readonly base: Line;
  /** End of the completed range in `base.text`. */
  readonly end: number;
}

/** An incremental search through the history (C-r, C-s). */
export interface Search {
  readonly query: string;
  readonly direction: 'older' | 'newer';
  /** Index of the entry that is shown; entries.length is the line that was being typed. */
  readonly index: number;
  /** Where in the line the query was found, or -1. */
  readonly found: number;
  /** The query has no further match in this direction. */
  readonly failed: boolean;
  /** What C-g returns to. */
  readonly before: Snapshot;
}

/** A point that undo returns to. */
export interface Snapshot extends Line {
  /** The place in the history. */
  readonly index: number;
}

/** What the previous action was, for those that continue one another: kills join, yank-pop follows a yank. */
export type Previous =
  | { readonly kind: 'other' }
  | { readonly kind: 'insert'; readonly length: number; readonly blank: boolean }
  | { readonly kind: 'kill' }
  | { readonly kind: 'end-or-delete' }
  | { readonly kind: 'yank'; readonly start: number; readonly back: number }
  | { readonly kind: 'argument'; readonly start: number; readonly back: number }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** A complaint about the line, drawn under its column. */
export interface Complaint {
  /** Index into the text, or undefined when it is about the whole line. */
  readonly column: number | undefined;
  readonly message: string;
}

/** What the owner of the terminal has to do; it belongs to the last action only. */
export type Effect =
  | { readonly kind: 'submit'; readonly line: string }
  | { readonly kind: 'end-of-input' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'help' }
  | { readonly kind: 'clear-screen' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'bell' };

export interface EditorState extends Line {
  /** Oldest first. */
  readonly undo: readonly Snapshot[];
  /** Killed texts, newest last. */
  readonly killRing: readonly string[];
  readonly previous: Previous;
  /** History entries, oldest first. */
  readonly entries: readonly string[];
  /** Which entry is being edited; entries.length is the new line. */
  readonly index: number;
  /** Entries, and the new line, as they were edited and left, by index. */
  readonly drafts: ReadonlyMap<number, string>;
  readonly search: Search | undefined;
  /** The last query, for C-r C-r. */
  readonly lastQuery: string;
  readonly menu: Menu | undefined;
  /** The next key is inserted as it is (C-v). */
  readonly quoting: boolean;
  readonly complaint: Complaint | undefined;
  readonly effect: Effect | undefined;
}

/** Actions without data: what a key can be bound to. */
export type ActionName =
  | 'accept-line'
  | 'insert-newline'
  | 'interrupt'
  | 'end-or-delete'
  | 'complete'
  | 'help'
  | 'clear-screen'
  | 'suspend'
  | 'quote-next'
  | 'undo'
  | 'cancel'
  | 'character-left'
  | 'character-right'
  | 'word-left'
  | 'word-right'
  | 'line-start'
  | 'line-end'
  | 'delete-left'
  | 'delete-right'
  | 'kill-blank-word-left'
  | 'kill-word-left'
  | 'kill-word-right'
  | 'kill-to-end'
  | 'kill-to-start'
  | 'yank'
  | 'yank-pop'
  | 'yank-last-argument'
  | 'transpose-characters'
  | 'transpose-words'
  | 'upcase-word'
  | 'downcase-word'
  | 'capitalize-word'
  | 'history-older'
  | 'history-newer'
  | 'history-older-prefix'
  | 'history-newer-prefix'
  | 'history-first'
  | 'history-last'
  | 'search-older'
  | 'search-newer'
  | 'search-delete'
  | 'search-keep'
  | 'search-abort'
  | 'menu-next'
  | 'menu-previous'
  | 'menu-page-down'
  | 'menu-page-up'
  | 'menu-accept'
  | 'menu-close';

export type Action =
  | { readonly name: ActionName }
  /** Text typed: one character. */
  | { readonly name: 'insert'; readonly text: string }
  /** Text pasted: line ends stay in the buffer as lines, for a look before Enter runs them. */
  | { readonly name: 'paste'; readonly text: string }
  /** A completion's answer for the line as it was when asked. */
  | { readonly name: 'offer'; readonly asked: Line; readonly completion: Completion }
  /** The line was examined and found wrong. */
  | ({ readonly name: 'complain' } & Complaint);

/** Characters that a line may have. */
export const LINE_MAX = 65_536;

/** Which keys mean what: the keymap's `when`. */
export type Mode = 'editing' | 'search' | 'menu' | 'quoting';

export function modeOf(state: EditorState): Mode {
  if (state.quoting) return 'quoting';
  if (state.search !== undefined) return 'search';
  return state.menu === undefined ? 'editing' : 'menu';
}

/** A new, empty line; what outlives a line (killed texts, the last query) is taken from `earlier`. */
export function newLine(entries: readonly string[], earlier?: EditorState, text = ''): EditorState {
  return {
    text,
    cursor: text.length,
    undo: [],
    killRing: earlier?.killRing ?? [],
    previous: { kind: 'other' },
    entries,
    index: entries.length,
    drafts: new Map(),
    search: undefined,
    lastQuery: earlier?.lastQuery ?? '',
    menu: undefined,
    quoting: false,
    complaint: undefined,
    effect: undefined,
  };
}

/** What an action changes; the rest stays. */
export type Change = Partial<EditorState>;

/** An action that could do nothing says so. */
export const BELL: Change = { effect: { kind: 'bell' } };

/** Replaces `start` to `end` and puts the cursor behind the new text. */
export function replaced(line: Line, start: number, end: number, text: string): Line {
  return { text: line.text.slice(0, start) + text + line.text.slice(end), cursor: start + text.length };
}
