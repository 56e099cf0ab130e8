/**
 * Fuzzy search over symbol names, for a person who types a few letters of what they mean: `mutlockslow`, `vfsunl`,
 * `tcpv4rcv`. fuzzy-candidates.ts chooses a thousand names, the fuzzysort package scores them, and what is known of
 * kernel names corrects the order: a function or object by its own name comes before its pieces and by-products.
 *
 * The package is a parameter, so that nothing is loaded until someone searches.
 */
import type { Fuzzysort } from 'fuzzysort';
import { prepareCandidates } from './fuzzy-candidates.ts';
import { isCompilerPiece, isPrefixTwin } from './symbol-name.ts';
import { isTextType, type NameColumns, type SymbolTable } from './symbol-table.ts';

/** A name that was found. */
export interface FuzzyMatch {
  readonly name: string;
  /** Its number in the list that was searched. */
  readonly index: number;
  /** 1 for the name itself, down to 0. */
  readonly score: number;
  /** Positions of the letters that matched, to highlight. */
  readonly positions: readonly number[];
}

/** What the search reads of a symbol table. */
export interface FuzzyNames {
  readonly names: readonly string[];
  /** nm letters, one a name. */
  readonly types: Uint8Array;
}

export interface FuzzySearch {
  /** Names that can be found. */
  readonly count: number;
  /** The best `limit` matches, best first. */
  find(query: string, limit: number): readonly FuzzyMatch[];
}

const CANDIDATES_MAX = 1000;
/** fuzzysort's own default of 0.5 hides every match of `spinlk`. */
const THRESHOLD = 0.2;

/** Bookkeeping that nobody looks for by name; `sym -q` still lists it. */
const BOOKKEEPING = /^(?:__k(?:sym|str|crc)tab|__crc_|__UNIQUE_ID_|__addressable_|__export_symbol_)/;
/** Symbols made by macros around a function or tracepoint, behind the thing itself. */
const BY_PRODUCT =
  /^(?:__func__\.|__already_done\.|__print_once\.|__warned\.|___done\.|_entry(?:_ptr)?\.|__(?:tracepoint|event|bpf_trace_tp_map|traceiter|probestub|syscall_meta|p_syscall_meta|se_sys|ia32|SCT__tp|SCK__tp)_|__SC[TK]__|(?:args|types|event|trace_event_\w+)__|__?initcall_)/;

/** The names of a table that a person may look for, without twins and bookkeeping, and what is known of them. */
export function fuzzyNames(table: SymbolTable): FuzzyNames & NameColumns {
  const names: string[] = [];
  const kept: number[] = [];
  for (const [i, name] of table.names().entries()) {
    if (isPrefixTwin(name) || BOOKKEEPING.test(name)) continue;
    names.push(name);
    kept.push(i);
  }
  const columns = table.nameColumns();
  return {
    names,
    types: Uint8Array.from(kept, (i) => columns.types[i] as number),
    addresses: BigUint64Array.from(kept.map((i) => columns.addresses[i] as bigint)),
    modules: Uint16Array.from(kept, (i) => columns.modules[i] as number),
  };
}

/** Prepares the search: 40 ms for 150,000 names. */
export function createFuzzySearch(fuzzysort: Pick<Fuzzysort, 'go'>, { names, types }: FuzzyNames): FuzzySearch {
  const candidates = prepareCandidates(names);
  return {
    count: names.length,
    find(query, limit) {
      const typed = query.trim().replaceAll(/\s+/g, '');
      const chosen = candidates.find(typed, CANDIDATES_MAX);
      if (chosen.length === 0) return [];
      const entries = Array.from(chosen, (i) => ({ index: i, name: names[i] as string, type: types[i] as number }));
      const results = fuzzysort.go(typed, entries, {
        key: 'name',
        threshold: THRESHOLD,
        limit: Math.max(1, limit),
        scoreFn: ({ obj, score }) => correctedScore(typed, obj.name, obj.type, score),
      });
      return results.map((result) => ({
        name: result.obj.name,
        index: result.obj.index,
        score: Math.max(0, Math.min(1, result.score)),
        positions: [...result.indexes],
      }));
    },
  };
}

/** fuzzysort's score (1 exact, 0.5 good) with what a kernel person means by it. */
function correctedScore(query: string, name: string, type: number, score: number): number {
  if (name === query) return score + 1;
  let corrected = score;
  if (name.replaceAll('_', '') === query.replaceAll('_', '')) corrected += 0.1;
  else if (name.startsWith(query)) corrected += 0.06;
  if (isTextType(String.fromCharCode(type))) corrected += 0.03;
  if (name.startsWith('__') && !name.startsWith('__x64_sys_') && !query.startsWith('_')) corrected -= 0.04;
  if (isCompilerPiece(name) && !query.includes('.')) corrected -= 0.15;
  if (BY_PRODUCT.test(name)) corrected -= 0.15;
  return corrected;
}
