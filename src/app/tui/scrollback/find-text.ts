/**
 * Text looked for in lines: in any case, unless it has capitals. (The same rule as `matcher` of the panes, here with the
 * places, to mark them.)
 */
import { type Line, type Span, spansOf, textOf } from '../../../core/output/line.ts';
import type { LineStore } from './line-store.ts';

/** Places of a text in another, as [from, to) in units; none for an empty one. */
export function placesOf(text: string, wanted: string): readonly (readonly [from: number, to: number])[] {
  if (wanted === '') return [];
  const exact = wanted !== wanted.toLowerCase();
  const within = exact ? text : text.toLowerCase();
  // A character may have another length in small letters: then places would be wrong.
  const searched = within.length === text.length ? within : text;
  const places: [number, number][] = [];
  for (let at = searched.indexOf(wanted); at >= 0; at = searched.indexOf(wanted, at + wanted.length)) {
    places.push([at, at + wanted.length]);
  }
  return places;
}

/** Whether a line has the text. */
export function holds(line: Line, wanted: string): boolean {
  const text = textOf(line);
  const exact = wanted !== wanted.toLowerCase();
  return (exact ? text : text.toLowerCase()).includes(wanted);
}

/** The line with the places of the text in the tone of a match. */
export function withMatches(line: Line, wanted: string): Line {
  const places = placesOf(textOf(line), wanted);
  if (places.length === 0) return line;
  const spans: Span[] = [];
  let at = 0;
  for (const part of spansOf(line)) {
    const text = typeof part === 'string' ? part : part.text;
    const end = at + text.length;
    let from = at;
    const put = (to: number, isMatch: boolean): void => {
      if (to <= from) return;
      const piece = text.slice(from - at, to - at);
      const like = typeof part === 'string' ? {} : part;
      spans.push(isMatch ? { ...like, text: piece, tone: 'match' } : { ...like, text: piece });
      from = to;
    };
    for (const [start, stop] of places) {
      if (stop <= at || start >= end) continue;
      put(Math.max(start, at), false);
      put(Math.min(stop, end), true);
    }
    put(end, false);
    at = end;
  }
  return spans;
}

export interface LineSearch {
  readonly store: LineStore;
  readonly wanted: string;
  /** The first line looked at. */
  readonly from: number;
  /** -1 to older lines. */
  readonly direction: 1 | -1;
  readonly signal: AbortSignal;
}

/** Milliseconds that a search takes before keys are looked at again. */
const SLICE_MS = 8;
const LINES_BETWEEN_LOOKS = 256;

/** The next line that has the text, once round all of them; undefined when none has it or the search was given up. */
export async function findLine({ store, wanted, from, direction, signal }: LineSearch): Promise<number | undefined> {
  const { first, end } = store;
  const count = end - first;
  let sliceEnd = performance.now() + SLICE_MS;
  for (let i = 0; i < count; i++) {
    const number = first + ((((from - first + direction * i) % count) + count) % count);
    const line = store.at(number);
    if (line !== undefined && holds(line, wanted)) return number;
    if (i % LINES_BETWEEN_LOOKS !== 0 || performance.now() < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) return undefined;
    sliceEnd = performance.now() + SLICE_MS;
  }
  return undefined;
}
