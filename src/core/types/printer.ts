/**
 * What printing a value carries from one part to the next: the lines being made, how numbers are written, the bounds.
 */
import { FaultError } from '../errors.ts';
import { Fault } from '../memory/fault.ts';
import { type CompoundType, type CType, resolve } from './type.ts';
import { type Value, WHOLE_READ_MAX } from './value.ts';
import type { ValueLines, ValueRef } from './value-line.ts';

/** What an address is in: `text` is what stands between < and >, `sym+0x1c`. */
export interface SymbolAt {
  readonly text: string;
  readonly name: string;
  /** The symbol's own address. */
  readonly address: bigint;
}

/** Names the symbol that an address is in; undefined for an address that is in none. */
export type Symbolise = (address: bigint) => SymbolAt | undefined;

export interface FormatOptions {
  /** Of integers; pointers are always hex. 10 unless said. */
  readonly radix?: 10 | 16;
  /** Elements of an array and characters of a string at most; 256 unless said. */
  readonly printMax?: number;
  /** Structures deeper than this are `{...}`; 20 unless said. */
  readonly depthMax?: number;
  /** All on one line. */
  readonly inline?: boolean;
  readonly symbolise?: Symbolise;
}

export interface Printer {
  readonly out: ValueLines;
  readonly radix: 10 | 16;
  readonly printMax: number;
  readonly depthMax: number;
  readonly symbolise: Symbolise;
  /** Prints a value that begins at the end of the current line, `level` structures deep. */
  print(value: Value, level: number): void;
}

/** Bytes read that count as much as one element printed. */
const BYTES_PER_ELEMENT = 256;

/** The value as its parts are read (Value.readable), counted in the bound on the output. Throws FaultError. */
export function readableFor(printer: Printer, value: Value): Value {
  const isRead = value.location.kind === 'memory' && value.size <= WHOLE_READ_MAX;
  if (isRead) printer.out.budget -= Math.floor(value.size / BYTES_PER_ELEMENT);
  const readable = printer.out.budget > 0 ? value.readable() : value;
  if (readable instanceof Fault) throw new FaultError(readable);
  return readable;
}

/** An address and the symbol it is in: `0xffffffff81a00000 <schedule+0x10>`. `target` is what is there. */
export function printAddress(printer: Printer, address: bigint, target?: CType): void {
  const { out } = printer;
  if (address === 0n) {
    out.put('0x0');
    return;
  }
  out.put({ text: `0x${address.toString(16)}`, tone: 'address', ref: addressRef(address, target) });
  const symbol = printer.symbolise(address);
  if (symbol === undefined) return;
  out.put(' ');
  const ref = { kind: 'symbol', name: symbol.name, address: symbol.address } as const;
  out.put({ text: `<${symbol.text}>`, ref, tone: 'symbol' });
}

function addressRef(address: bigint, target: CType | undefined): ValueRef {
  const resolved = target && resolve(target);
  const named = (resolved?.kind === 'struct' || resolved?.kind === 'union') && resolved.name !== undefined;
  return { kind: 'address', address, ...(named ? { type: compoundHeading(resolved) } : {}) };
}

/** `struct page`; the keyword alone for one without a name. */
export function compoundHeading(type: CompoundType): string {
  return type.name === undefined ? type.kind : `${type.kind} ${type.name}`;
}
