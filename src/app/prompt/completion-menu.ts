/**
 * Completion as the line sees it. An answer with one candidate is typed at once; several first type what they have in
 * common and open the menu. Tab and the arrows put candidates into the line in turn, Enter keeps the one that is there,
 * Esc returns to what was typed, and typing on narrows the menu.
 */
import {
  BELL,
  type Candidate,
  type Change,
  type Completion,
  type EditorState,
  type Menu,
  replaced,
} from './editor-state.ts';
import { previousCluster } from './graphemes.ts';
import type { Line } from './words.ts';

/** Candidates that a menu holds; a longer list is cut, which the person who narrows it never notices. */
export const CANDIDATES_MAX = 2000;

/** What all candidates begin with, ending on a cluster boundary. */
function commonPrefix(candidates: readonly Candidate[]): string {
  let prefix = candidates[0]?.text ?? '';
  for (const { text } of candidates) {
    let length = 0;
    while (length < prefix.length && prefix[length] === text[length]) length++;
    if (length === prefix.length) continue;
    // The next characters differ, but a mark among them may belong to the last common one.
    prefix = prefix.slice(0, Math.min(length, previousCluster(prefix, length + 1)));
  }
  return prefix;
}

/** Takes a completion's answer; an answer to an older line is of no use. */
export function offer(state: EditorState, asked: Line, completion: Completion): Change {
  if (state.text !== asked.text || state.cursor !== asked.cursor) return {};
  const start = Math.max(0, Math.min(completion.start, state.cursor));
  const end = Math.max(state.cursor, Math.min(completion.end, state.text.length));
  const { candidates } = completion;
  const [first] = candidates;
  if (first === undefined || !Number.isInteger(start) || !Number.isInteger(end)) return BELL;
  if (candidates.length === 1) return replaced(state, start, end, first.text + (first.suffix ?? ''));
  const typed = state.text.slice(start, state.cursor);
  const prefix = completion.partial === true ? '' : commonPrefix(candidates);
  // Candidates found by a looser rule than their beginning have nothing to add to what was typed.
  const grows = prefix.startsWith(typed) && prefix.length > typed.length;
  const base: Line = grows ? replaced(state, start, end, prefix) : { text: state.text, cursor: state.cursor };
  const shown = candidates.slice(0, CANDIDATES_MAX);
  return { ...base, menu: { candidates: shown, selected: -1, start, base, end: grows ? base.cursor : end } };
}

/** Moves the choice by `step`, round the ends by way of "none". */
export function choose(menu: Menu, step: number): Change {
  const count = menu.candidates.length;
  let selected = menu.selected + step;
  if (Math.abs(step) === 1) selected = ((selected + count + 2) % (count + 1)) - 1;
  else selected = Math.max(0, Math.min(selected, count - 1));
  const candidate = menu.candidates[selected];
  const line = candidate === undefined ? menu.base : replaced(menu.base, menu.start, menu.end, candidate.text);
  return { text: line.text, cursor: line.cursor, menu: { ...menu, selected } };
}

/** Keeps the candidate that stands in the line. */
export function accept(state: EditorState, menu: Menu): Change {
  const suffix = menu.candidates[menu.selected]?.suffix ?? '';
  return { ...replaced(state, state.cursor, state.cursor, suffix), menu: undefined };
}

/** Closes the menu and takes back the candidate. */
export function close(menu: Menu): Change {
  return { text: menu.base.text, cursor: menu.base.cursor, menu: undefined };
}

/** After typing: the candidates that still begin with what stands there, or no menu when none does. */
export function narrow(menu: Menu, line: Line): Menu | undefined {
  if (menu.selected >= 0 || line.cursor < menu.start) return undefined;
  const typed = line.text.slice(menu.start, line.cursor);
  const candidates = menu.candidates.filter(
    (candidate) => candidate.text.startsWith(typed) && candidate.text !== typed,
  );
  const grown = line.text.length - menu.base.text.length;
  const base: Line = { text: line.text, cursor: line.cursor };
  return candidates.length === 0 ? undefined : { ...menu, candidates, base, end: menu.end + grown };
}
