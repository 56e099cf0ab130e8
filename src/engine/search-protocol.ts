/**
 * What the search thread is told and answers. It knows lists of names and nothing of what they name: answers are
 * numbers of names.
 */
import type { PackedNames } from '../core/symbols/packed-names.ts';

/** A list of names takes the place of an earlier one of the same key. */
export interface SearchList {
  readonly kind: 'list';
  readonly key: string;
  readonly names: PackedNames;
  /** nm letters, one a name: code comes before data. */
  readonly types: Uint8Array;
}

export interface SearchQuery {
  readonly kind: 'find';
  readonly id: number;
  readonly query: string;
  /** Matches of each list. */
  readonly limit: number;
}

export type ToSearch = SearchList | SearchQuery;

export interface Hit {
  /** The number of the name in its list. */
  readonly index: number;
  /** 1 for the name itself, down to 0. */
  readonly score: number;
  /** Positions of the letters that matched. */
  readonly positions: readonly number[];
}

export interface SearchAnswer {
  readonly id: number;
  /** The best matches of each list, best first. */
  readonly hits: Readonly<Record<string, readonly Hit[]>>;
  /** Milliseconds that it took. */
  readonly took: number;
}
