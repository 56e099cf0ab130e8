/**
 * Addresses named in printed values: text by function and offset, data by the variable it lies in. Symbols of kallsyms
 * have no sizes, only a distance to the next one; a pointer into the heap is far from any symbol and gets no name.
 */
import { isKernelAddress } from '../memory/address.ts';
import { formatSymbol, type SymbolTable } from '../symbols/symbol-table.ts';
import type { Symbolise } from './printer.ts';

/** Names addresses with a symbol table; offsets in the radix of the session. */
export function symboliser(symbols: SymbolTable, radix: 10 | 16 = 16): Symbolise {
  return (address) => {
    // Per-CPU variables have small offsets for addresses, as small numbers have: those are no pointers to them.
    const found = isKernelAddress(address) ? symbols.nearest(address) : undefined;
    if (found === undefined) return undefined;
    const { symbol, offset } = found;
    const isWithin = offset === 0 || (symbol.size !== undefined ? offset < symbol.size : symbols.isText(address));
    if (!isWithin) return undefined;
    return { text: formatSymbol(symbol, offset, radix), name: symbol.name, address: symbol.address };
  };
}
