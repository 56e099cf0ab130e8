/**
 * Symbols: by name, by address, by part of a name, by a few letters.
 */
import { defineCommand, flag, many, option } from '../src/core/command/define.ts';
import { environmentOf } from '../src/core/command/environment.ts';
import { count } from '../src/core/command/kinds.ts';
import { addressesIn } from '../src/core/command/pipe.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { knownModule, moduleName, symbolName } from '../src/core/command/target-kinds.ts';
import { chosenRadix, type RadixFlags } from '../src/core/command/value-view.ts';
import { KdbgError, NotFoundError, UsageError } from '../src/core/errors.ts';
import { parseHex } from '../src/core/memory/address.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, type Span, span } from '../src/core/output/line.ts';
import { createFuzzySearch, type FuzzySearch, fuzzyNames } from '../src/core/symbols/fuzzy-search.ts';
import { parseNamePattern, searchSymbols } from '../src/core/symbols/search.ts';
import { formatSymbol, type KernelSymbol } from '../src/core/symbols/symbol-table.ts';
import { evaluateAddress } from '../src/core/types/evaluate-address.ts';

const FUZZY_SHOWN = 20;

export default defineCommand({
  name: 'sym',
  group: 'symbols',
  summary: 'symbols by name, address, pattern or a few letters',
  description: [
    'The letter in parentheses is that of nm: T or t is code, D, d, B and b data, R and r read-only data; capitals are global. A name that several symbols have shows all of them.',
    'With -q a part of the name is enough; `*` and `?` make it a glob, slashes a regular expression (/^vfs_.*read$/). What no name contains is looked for by its letters in order, the best matches first: sym -q mutlockslow. With -z that is done at once.',
  ],
  needs: ['symbols'],
  options: {
    l: flag('all symbols, by address'),
    m: option(moduleName, 'MODULE', "a module's symbols; with -l or -q only those"),
    M: flag("all modules' symbols"),
    p: flag('the symbol before each as well'),
    n: flag('the symbol after each as well'),
    q: option(symbolName, 'PATTERN', 'search by part of a name, glob, /regular expression/ or letters'),
    z: option(symbolName, 'LETTERS', 'search by letters in order, best first'),
    c: option(count, 'COUNT', 'so many results at most with -q and -z'),
    x: flag('offsets in hex'),
    d: flag('offsets in decimal'),
  },
  operands: { targets: many(symbolName, 'SYMBOL|ADDRESS', 'names or addresses') },
  input: 'address',
  examples: [
    { line: 'sym schedule', shows: 'by name' },
    { line: 'sym (schedule+0x20)', shows: 'by address: the symbol that it is in' },
    { line: 'sym -q mutex_lock_slow', shows: 'by part of a name' },
    { line: 'sym -z mutlockslow', shows: 'by a few letters' },
    { line: 'sym -n -p schedule', shows: 'with its neighbours' },
  ],
  *run(scope, args) {
    const { symbols } = scope.kernel;
    const module = args.m === undefined ? undefined : knownModule(args.m, scope);
    const options: SymOptions = { ...args, module };
    if (args.z !== undefined) {
      yield* fuzzy(scope, args.z, args.c ?? FUZZY_SHOWN, options);
    } else if (args.q !== undefined) {
      yield* search(scope, args.q, options, args.c);
    } else if (args.l || args.M || (module !== undefined && args.targets.length === 0)) {
      for (const symbol of symbols.symbols(module)) {
        scope.check();
        if (args.M && symbol.module === undefined) continue;
        yield symbolItem(symbol, 0, options, scope);
      }
    } else {
      const targets = args.targets.length > 0 ? args.targets : [...piped(scope)];
      if (targets.length === 0) throw new UsageError('sym wants a symbol, an address or an option');
      yield* lookUpAll(scope, targets, options);
    }
    if (symbols.addressesHidden)
      yield notice('the kernel hides the addresses of its symbols; "status" says what would help');
  },
});

interface SymOptions extends RadixFlags {
  readonly p: boolean;
  readonly n: boolean;
  readonly module: string | undefined;
}

function* piped(scope: Scope): Iterable<string> {
  if (scope.input === undefined) return;
  for (const address of addressesIn(scope.input)) yield `0x${address.toString(16)}`;
}

/** What is not found does not hide the others: the first such ends the command when all were looked up. */
function* lookUpAll(scope: Scope, targets: readonly string[], options: SymOptions): Iterable<Item> {
  let missing: KdbgError | undefined;
  const others: string[] = [];
  for (const target of targets) {
    scope.check();
    try {
      yield* lookUp(scope, target, options);
    } catch (error) {
      if (!(error instanceof NotFoundError || error instanceof UsageError)) throw error;
      if (missing === undefined) missing = error;
      else others.push(target);
    }
  }
  if (others.length > 0) yield notice(`not found either: ${shortened(others)}`);
  if (missing !== undefined) throw missing;
}

/** The first few of many names. */
function shortened(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function* lookUp(scope: Scope, target: string, options: SymOptions): Iterable<Item> {
  const { symbols } = scope.kernel;
  const named = symbols
    .all(target)
    .filter((symbol) => options.module === undefined || symbol.module === options.module);
  if (named.length > 0) {
    for (const symbol of named) yield* withNeighbours(scope, symbol, 0, options);
    return;
  }
  const address = addressOf(scope, target);
  const found = symbols.nearest(address);
  if (found === undefined)
    throw new NotFoundError('symbol', target, [], 'at that address: it is in no known text or data');
  yield* withNeighbours(scope, found.symbol, found.offset, options);
}

/** An address or an expression; what is neither is a name that does not exist. */
function addressOf(scope: Scope, target: string): bigint {
  const hex = parseHex(target);
  if (hex !== undefined) return hex;
  if (/^[A-Za-z_.$][\w.$]*$/.test(target)) scope.kernel.symbols.get(target);
  try {
    return evaluateAddress(target, environmentOf(scope));
  } catch (error) {
    if (error instanceof KdbgError && error.hint === undefined && /^\w+$/.test(target)) {
      throw new NotFoundError('symbol', target, scope.kernel.symbols.near(target, 5));
    }
    throw error;
  }
}

function* withNeighbours(scope: Scope, symbol: KernelSymbol, offset: number, options: SymOptions): Iterable<Item> {
  const { symbols } = scope.kernel;
  const before = options.p ? symbols.previous(symbol) : undefined;
  const after = options.n ? symbols.next(symbol) : undefined;
  if (before !== undefined) yield symbolItem(before, 0, options, scope);
  yield symbolItem(symbol, offset, options, scope);
  if (after !== undefined) yield symbolItem(after, 0, options, scope);
}

function* search(scope: Scope, pattern: string, options: SymOptions, limit: number | undefined): Iterable<Item> {
  const { symbols } = scope.kernel;
  const found = searchSymbols(symbols, parseNamePattern(pattern), options.module);
  const shown = limit === undefined ? found : found.slice(0, limit);
  for (const symbol of shown) yield symbolItem(symbol, 0, options, scope);
  if (shown.length < found.length) yield notice(`${found.length - shown.length} more`);
  if (found.length > 0) return;
  if (!/^[\w.]+$/.test(pattern)) throw new NotFoundError('symbol', pattern);
  yield notice(`no symbol contains "${pattern}"; these have its letters`);
  yield* fuzzy(scope, pattern, limit ?? FUZZY_SHOWN, options);
}

function* fuzzy(scope: Scope, letters: string, limit: number, options: SymOptions): Iterable<Item> {
  const { kernel, shell } = scope;
  const index = kernel.memo('fuzzy symbols', 'session', () => {
    return createFuzzySearch(shell.fuzzy(), fuzzyNames(kernel.symbols));
  }) as FuzzySearch;
  const matches = index.find(letters, limit);
  if (matches.length === 0) throw new NotFoundError('symbol', letters);
  for (const match of matches) {
    for (const symbol of kernel.symbols.all(match.name)) {
      if (options.module === undefined || symbol.module === options.module) {
        yield symbolItem(symbol, 0, options, scope, match.positions);
      }
    }
  }
}

function symbolItem(
  symbol: KernelSymbol,
  offset: number,
  options: SymOptions,
  scope: Scope,
  positions?: readonly number[],
): Item {
  const address = symbol.address + BigInt(offset);
  const data = { address, type: symbol.type, name: symbol.name, offset, module: symbol.module ?? null };
  return row(data, () => [
    symbolLine(symbol, address, offset, chosenRadix(options, offsetRadix(scope.settings)), positions),
  ]);
}

function symbolLine(
  symbol: KernelSymbol,
  address: bigint,
  offset: number,
  radix: 10 | 16,
  positions: readonly number[] | undefined,
): Line {
  const ref = { kind: 'symbol', name: symbol.name, address: symbol.address } as const;
  const name: readonly Span[] =
    positions === undefined
      ? [span(formatSymbol(symbol, offset, radix), ref, 'symbol')]
      : [...symbol.name].map((letter, i) => span(letter, ref, positions.includes(i) ? 'match' : 'symbol'));
  return [
    span(address.toString(16), { kind: 'address', address }, 'address'),
    ` (${symbol.type}) `,
    ...name,
    ...(symbol.module === undefined ? [] : [' [', span(symbol.module, { kind: 'module', name: symbol.module }), ']']),
  ];
}
