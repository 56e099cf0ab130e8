/**
 * Names close to one that does not exist, for "did you mean": a slip of the fingers (edit distance), a part of the
 * name, or its letters in order. One pass over the names' bytes, where a 32-bit set of each name's letters rejects
 * most of them before anything dear is computed: 15 ms for 200,000 names.
 */
import { columnName, type SymbolColumns } from '../formats/kallsyms-columns.ts';
import { isPrefixTwin } from './symbol-name.ts';

/** Longer than this and a name was pasted, not typed. */
const WANTED_MAX = 64;
const FAR = 255;

/** A name and how far it is from the wanted one; the ranks of the three kinds of closeness overlap a little. */
interface Near {
  readonly index: number;
  readonly distance: number;
  readonly length: number;
}

/** Finds the names closest to a wanted one, at most `limit`, the closest first. */
export type NearNames = (wanted: string, limit: number) => readonly string[];

/** Prepares the search among the symbols `candidates`: the letters of each name, 1 MB for 200,000. */
export function prepareNearNames(columns: SymbolColumns, candidates: Uint32Array): NearNames {
  const { nameBytes, nameStarts, nameLengths } = columns;
  const sets = new Int32Array(candidates.length);
  for (let k = 0; k < candidates.length; k++) {
    const i = candidates[k] as number;
    sets[k] = letterSet(nameBytes, nameStarts[i] as number, nameLengths[i] as number);
  }
  return (wanted, limit) => nearNames(columns, candidates, sets, wanted, limit);
}

function nearNames(
  columns: SymbolColumns,
  candidates: Uint32Array,
  sets: Int32Array,
  wanted: string,
  limit: number,
): readonly string[] {
  const text = wanted.toLowerCase();
  if (text.length === 0 || text.length > WANTED_MAX || limit <= 0) return [];
  const letters = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const set = letterSet(letters, 0, letters.length);
  const slips = letters.length < 3 ? 0 : Math.min(3, Math.max(1, Math.floor(letters.length / 4)));
  const measure = editDistance(letters, slips);
  const folded = new Uint8Array(WANTED_MAX * 4);
  const best: Near[] = [];

  for (let candidate = 0; candidate < candidates.length; candidate++) {
    const candidateSet = sets[candidate] as number;
    const missing = bitCount(set & ~candidateSet);
    if (missing > slips) continue;
    const index = candidates[candidate] as number;
    const length = columns.nameLengths[index] as number;
    const start = columns.nameStarts[index] as number;
    const similar = Math.abs(length - letters.length) <= slips && bitCount(candidateSet & ~set) <= slips && slips > 0;
    const mayContain = missing === 0 && length >= letters.length;
    if (length > folded.length || !(similar || mayContain)) continue;
    for (let k = 0; k < length; k++) folded[k] = fold(columns.nameBytes[start + k] as number);
    let distance = FAR;
    if (similar) distance = measure(folded, length);
    if (mayContain && distance > 1) distance = Math.min(distance, partDistance(letters, folded, length));
    if (distance < FAR) keepBest(best, { index, distance, length }, limit * 4);
  }

  const names = best.map((near) => columnName(columns, near.index));
  const twinsWanted = isPrefixTwin(text);
  return names.filter((name) => name !== wanted && (twinsWanted || !isPrefixTwin(name))).slice(0, limit);
}

/** Inserts in order of distance, then length; drops the farthest beyond `max`. */
function keepBest(best: Near[], near: Near, max: number): void {
  const last = best[max - 1];
  if (last !== undefined && !isCloser(near, last)) return;
  let place = best.length;
  while (place > 0 && isCloser(near, best[place - 1] as Near)) place--;
  best.splice(place, 0, near);
  if (best.length > max) best.pop();
}

function isCloser(a: Near, b: Near): boolean {
  return a.distance !== b.distance ? a.distance < b.distance : a.length < b.length;
}

/** How far a name is that holds the wanted letters: as its beginning, its end, within it, or in order with gaps. */
function partDistance(wanted: Uint8Array, name: Uint8Array, length: number): number {
  if (wanted.length < 3 || wanted.length > length) return FAR;
  const extra = Math.min(40, length - wanted.length) / 10;
  const at = indexWithin(wanted, name, length);
  if (at >= 0) {
    const wordStart = at === 0 || name[at - 1] === 0x5f;
    return (wordStart ? 1.5 : 2.5) + extra;
  }
  if (wanted.length < 4) return FAR;
  let matched = 0;
  let first = -1;
  let last = -1;
  for (let k = 0; k < length && matched < wanted.length; k++) {
    if (name[k] !== wanted[matched]) continue;
    if (first < 0) first = k;
    last = k;
    matched++;
  }
  if (matched < wanted.length) return FAR;
  return 4 + (last - first + 1 - wanted.length) / 4 + extra;
}

function indexWithin(wanted: Uint8Array, name: Uint8Array, length: number): number {
  for (let at = 0; at + wanted.length <= length; at++) {
    let k = 0;
    while (k < wanted.length && name[at + k] === wanted[k]) k++;
    if (k === wanted.length) return at;
  }
  return -1;
}

/**
 * A measure of the edit distance to `wanted` (insertions, deletions, substitutions and swaps of neighbours, each 1),
 * computed in a band: FAR when it is more than `max`.
 */
function editDistance(wanted: Uint8Array, max: number): (name: Uint8Array, length: number) => number {
  const width = wanted.length + 1;
  let row = new Uint8Array(width);
  let previous = new Uint8Array(width);
  let beforePrevious = new Uint8Array(width);
  return (name, length) => {
    for (let j = 0; j < width; j++) previous[j] = j;
    for (let i = 1; i <= length; i++) {
      const from = Math.max(1, i - max);
      const to = Math.min(wanted.length, i + max);
      row.fill(FAR - 1);
      if (from === 1) row[0] = i;
      let smallest = FAR;
      for (let j = from; j <= to; j++) {
        const same = name[i - 1] === wanted[j - 1];
        let cost = (previous[j - 1] as number) + (same ? 0 : 1);
        cost = Math.min(cost, (previous[j] as number) + 1, (row[j - 1] as number) + 1);
        const swapped = i > 1 && j > 1 && name[i - 1] === wanted[j - 2] && name[i - 2] === wanted[j - 1];
        if (swapped) cost = Math.min(cost, (beforePrevious[j - 2] as number) + 1);
        row[j] = Math.min(cost, FAR - 1);
        smallest = Math.min(smallest, cost);
      }
      if (smallest > max) return FAR;
      [beforePrevious, previous, row] = [previous, row, beforePrevious];
    }
    const distance = previous[wanted.length] as number;
    return distance <= max ? distance : FAR;
  };
}

function fold(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** A set of the letters in 32 bits, upper and lower case alike; digits share bits with letters, which costs nothing but time. */
function letterSet(bytes: Uint8Array, start: number, length: number): number {
  let set = 0;
  for (let k = start; k < start + length; k++) set |= 1 << ((bytes[k] as number) & 31);
  return set;
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
