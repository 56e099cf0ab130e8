/**
 * The coarse half of the fuzzy search: out of all names, the thousand that could be meant. Scoring every name that
 * has the typed letters in order takes 10 to 50 ms a keystroke and prepared copies of all names (165 MB for 200,000);
 * telling cheaply *how* a name holds the letters takes 3 to 10 ms and 8 MB, and fuzzy-search.ts then has a thousand to score.
 *
 * How well a name holds the letters, best first:
 *
 *     in one piece from the beginning:               schedule  -> schedule_timeout, __schedule
 *     in one piece from the start of a later word:   schedule  -> io_schedule
 *     as runs that each begin a word:                vfsunl    -> vfs_unlink      (more runs are worse)
 *     in one piece within a word:                    chedul    -> schedule
 *     in order with gaps:                            schdl     -> schedule        (wider is worse)
 */

/** Names by number; the numbers are those of the list they were prepared from. */
export interface FuzzyCandidates {
  /** At most `max` numbers of names, the likeliest ones, in no order. */
  find(query: string, max: number): Uint32Array;
}

/** Levels of likeliness: kinds of match, each divided by how much more the name has. */
const LEVELS_PER_KIND = 16;
const KIND = { prefix: 0, word: 1, runs: 2, inner: 6, gaps: 7 } as const;
const RUNS_MAX = 4;
const LEVELS = (KIND.gaps + 4) * LEVELS_PER_KIND;
const UNDERSCORE = 0x5f;
const QUERY_MAX = 64;

/** The names as the search reads them: bytes of lower-case letters, and where the words in them begin. */
interface Names {
  readonly bytes: Uint8Array;
  /** Name i is bytes[starts[i]] up to bytes[starts[i + 1]]. */
  readonly starts: Uint32Array;
  /** Places in `bytes` where words begin; those of name i are words[wordStarts[i]] up to words[wordStarts[i + 1]]. */
  readonly words: Uint32Array;
  readonly wordStarts: Uint32Array;
  /** The letters of each name as a set of 32 bits. */
  readonly sets: Int32Array;
}

/** Prepares the names, which are ASCII. */
export function prepareCandidates(list: readonly string[]): FuzzyCandidates {
  const names = readNames(list);
  let last = { query: '', holders: undefined as Uint32Array | undefined };
  return {
    find(query, max) {
      const wanted = Uint8Array.from(query.slice(0, QUERY_MAX), (character) => fold(character.charCodeAt(0)));
      if (wanted.length === 0) return new Uint32Array(0);
      // What holds a longer query holds its beginning: while a person types on, only those are looked at.
      const narrowed = last.query !== '' && query.startsWith(last.query) ? last.holders : undefined;
      const { holders, levels } = holdersOf(wanted, names, narrowed);
      last = { query, holders };
      return likeliest(holders, levels, max);
    },
  };
}

function readNames(list: readonly string[]): Names {
  const length = list.reduce((sum, name) => sum + name.length, 0);
  const bytes = new Uint8Array(length);
  const starts = new Uint32Array(list.length + 1);
  const words = new Uint32Array(length);
  const wordStarts = new Uint32Array(list.length + 1);
  const sets = new Int32Array(list.length);
  let at = 0;
  let wordCount = 0;
  for (let i = 0; i < list.length; i++) {
    const name = list[i] as string;
    let set = 0;
    let inWord = false;
    for (let k = 0; k < name.length; k++) {
      const letter = fold(name.charCodeAt(k));
      const isLetter = isAlphanumeric(letter);
      if (k === 0 || (isLetter && !inWord)) words[wordCount++] = at;
      inWord = isLetter;
      set |= 1 << (letter & 31);
      bytes[at++] = letter;
    }
    starts[i + 1] = at;
    wordStarts[i + 1] = wordCount;
    sets[i] = set;
  }
  return { bytes, starts, words: words.slice(0, wordCount), wordStarts, sets };
}

/** The names that have the letters in order, and the level of each. */
function holdersOf(
  wanted: Uint8Array,
  names: Names,
  among: Uint32Array | undefined,
): { readonly holders: Uint32Array; readonly levels: Uint8Array } {
  const { sets } = names;
  const total = among?.length ?? sets.length;
  const holders = new Uint32Array(total);
  const levels = new Uint8Array(total);
  let set = 0;
  for (const letter of wanted) set |= 1 << (letter & 31);
  let count = 0;
  for (let k = 0; k < total; k++) {
    const i = among === undefined ? k : (among[k] as number);
    if ((set & ~(sets[i] as number)) !== 0) continue;
    const level = levelOf(wanted, names, i);
    if (level < 0) continue;
    holders[count] = i;
    levels[count++] = level;
  }
  return { holders: holders.slice(0, count), levels };
}

/** All holders of the best levels, and of the last level that fits the first ones. */
function likeliest(holders: Uint32Array, levels: Uint8Array, max: number): Uint32Array {
  if (holders.length <= max) return holders;
  const counts = new Uint32Array(LEVELS);
  for (let k = 0; k < holders.length; k++) counts[levels[k] as number] = (counts[levels[k] as number] as number) + 1;
  let lastLevel = 0;
  let room = max;
  while (room > (counts[lastLevel] as number)) room -= counts[lastLevel++] as number;
  const kept = new Uint32Array(max);
  let count = 0;
  for (let k = 0; k < holders.length && count < max; k++) {
    const level = levels[k] as number;
    if (level > lastLevel || (level === lastLevel && room-- <= 0)) continue;
    kept[count++] = holders[k] as number;
  }
  return kept.subarray(0, count);
}

/** The level of name i; -1 when it does not have the letters in order. */
function levelOf(wanted: Uint8Array, { bytes, starts, words, wordStarts }: Names, i: number): number {
  const start = starts[i] as number;
  const end = starts[i + 1] as number;
  const extra = (end - start - wanted.length) / 2;
  const lastWord = wordStarts[i + 1] as number;
  let runs = 0;
  let runEnd = 0;
  let matched = 0;
  for (let word = wordStarts[i] as number; word < lastWord; word++) {
    let at = words[word] as number;
    if (bytes[at] !== wanted[0] && bytes[at] !== wanted[matched]) continue;
    if (startsAt(wanted, bytes, at, end)) {
      return levelIn(isLeadingUnderscores(bytes, start, at) ? KIND.prefix : KIND.word, extra);
    }
    // A run may have gone past this word's beginning: its letters are taken.
    if (at < runEnd) continue;
    const before = matched;
    while (at < end && matched < wanted.length && bytes[at] === wanted[matched]) {
      at++;
      matched++;
    }
    if (matched > before) runs++;
    runEnd = at;
  }
  if (matched === wanted.length && runs <= RUNS_MAX) return levelIn(KIND.runs + runs - 1, extra);
  const span = spanOf(wanted, bytes, start, end);
  if (span < 0) return -1;
  if (span === wanted.length) return levelIn(KIND.inner, extra);
  return levelIn(KIND.gaps + Math.min(3, Math.floor((span - wanted.length) / 4)), extra);
}

function levelIn(kind: number, extra: number): number {
  return kind * LEVELS_PER_KIND + Math.min(LEVELS_PER_KIND - 1, Math.floor(extra));
}

/** The length of the first match with gaps, made short from its end; -1 when there is none. */
function spanOf(wanted: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let k = 0;
  for (; k < wanted.length; k++) {
    while (at < end && bytes[at] !== wanted[k]) at++;
    if (at >= end) return -1;
    at++;
  }
  const matchEnd = at;
  for (k--; k >= 0; at--) {
    if (bytes[at - 1] === wanted[k]) k--;
  }
  return matchEnd - at;
}

function startsAt(wanted: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (at + wanted.length > end) return false;
  for (let k = 0; k < wanted.length; k++) {
    if (bytes[at + k] !== wanted[k]) return false;
  }
  return true;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
}

function isLeadingUnderscores(bytes: Uint8Array, start: number, to: number): boolean {
  for (let at = start; at < to; at++) {
    if (bytes[at] !== UNDERSCORE) return false;
  }
  return true;
}

function fold(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code & 0x7f;
}
