/**
 * Symbols by a pattern of their names, as `sym -q` and completion ask. A pattern is a regular expression between
 * slashes, a glob when it has `*` or `?`, and otherwise a part of the name.
 */
import { UsageError } from '../errors.ts';
import { isCompilerPiece, isPrefixTwin } from './symbol-name.ts';
import type { KernelSymbol, SymbolTable } from './symbol-table.ts';

/** True for a name that the pattern accepts. */
export type NamePattern = (name: string) => boolean;

/**
 * Reads a pattern: `/^vfs_.*read$/` and `/VFS/i`, `vfs_*read`, `vfs_rea`. A glob is anchored at both ends, the others are not.
 * Throws UsageError for a malformed regular expression.
 */
export function parseNamePattern(text: string): NamePattern {
  const regex = /^\/(.+)\/(i?)$/.exec(text);
  if (regex !== null) {
    const expression = compile(text, regex[1] as string, regex[2] as string);
    return (name) => expression.test(name);
  }
  if (!/[*?]/.test(text)) return (name) => name.includes(text);
  return (name) => matchesGlob(text, name);
}

/** `*` is any run, `?` any character. Goes back to the last star only, so the time is bounded by the product of the lengths. */
function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let starPlace = 0;
  while (place < name.length) {
    if (glob[at] === '*') {
      star = at++;
      starPlace = place;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === name[place])) {
      at++;
      place++;
    } else if (star >= 0) {
      at = star + 1;
      place = ++starPlace;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}

function compile(text: string, source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /, '') : 'malformed';
    throw new UsageError(`regular expression ${text}: ${reason.toLowerCase()}`, { source: text, column: 0 });
  }
}

/** Every symbol whose name the pattern accepts, by address; duplicates and twins are kept. */
export function searchSymbols(table: SymbolTable, pattern: NamePattern, module?: string): readonly KernelSymbol[] {
  const found: KernelSymbol[] = [];
  for (const name of table.names()) {
    if (!pattern(name)) continue;
    for (const symbol of table.all(name)) {
      if (module === undefined || symbol.module === module) found.push(symbol);
    }
  }
  return found.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

/**
 * Names that begin so, for completion: at most `limit`, what a person types before what the compiler made, then in
 * alphabetical order.
 */
export function completeSymbol(table: SymbolTable, prefix: string, limit: number): readonly string[] {
  const found = table.names().filter((name) => name.startsWith(prefix));
  const made = (name: string) => (isPrefixTwin(name) || isCompilerPiece(name) ? 1 : 0);
  found.sort((a, b) => made(a) - made(b) || (a < b ? -1 : a > b ? 1 : 0));
  return found.slice(0, limit);
}
