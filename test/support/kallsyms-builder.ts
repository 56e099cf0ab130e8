/**
 * Builds kallsyms as a kernel has it: the text of /proc/kallsyms, and the tables in memory in each of their address
 * encodings and both of their layouts. Also a symbol table straight from a few symbols, for tests of what uses one.
 */
import type { AddressEncoding } from '../../src/core/formats/kallsyms-addresses.ts';
import { type ColumnSymbol, symbolColumns } from '../../src/core/formats/kallsyms-columns.ts';
import type { KallsymsLocations } from '../../src/core/formats/kallsyms-memory.ts';
import { encodeText } from '../../src/core/memory/text.ts';
import { createSymbolTable } from '../../src/core/symbols/kallsyms-table.ts';
import type { SymbolTable } from '../../src/core/symbols/symbol-table.ts';

export type TestSymbol = ColumnSymbol;

/** The text of /proc/kallsyms, in the order given. */
export function kallsymsText(symbols: readonly TestSymbol[]): Uint8Array {
  const lines = symbols.map(({ address, type, name, module }) => {
    const owner = module === undefined ? '' : `\t[${module}]`;
    return `${address.toString(16).padStart(16, '0')} ${type} ${name}${owner}\n`;
  });
  return encodeText(lines.join(''));
}

/** A symbol table of these; a bare address is a global text symbol. */
export function symbolTableOf(symbols: Readonly<Record<string, bigint>> | readonly TestSymbol[]): SymbolTable {
  const list = Array.isArray(symbols)
    ? (symbols as readonly TestSymbol[])
    : Object.entries(symbols as Readonly<Record<string, bigint>>).map(([name, address]) => ({
        name,
        address,
        type: 'T',
      }));
  return createSymbolTable(symbolColumns(list), { source: 'test' });
}

export interface KallsymsImageOptions {
  readonly encoding: AddressEncoding;
  /** The order of the tables: that of v6.4 and later, or the earlier one. */
  readonly layout?: 'since-6.4' | 'before-6.4';
  /** Where the tables are in memory. */
  readonly base?: bigint;
}

export interface KallsymsImage {
  /** The tables, as memory from `base` on holds them. */
  readonly bytes: Uint8Array;
  readonly base: bigint;
  readonly locations: KallsymsLocations;
  /** The lines that VMCOREINFO has for them. */
  readonly vmcoreinfo: string;
  /** Lengths of the reads done so far, by name of table. */
  readonly reads: { readonly what: string; readonly length: number }[];
  read(address: bigint, length: number, what: string): Uint8Array;
}

/** Pieces that get a token of their own; every character has one too. */
const PIECES = [
  'mutex_',
  'lock',
  'sched',
  '__pfx_',
  'tsys_',
  'Tsys_',
  'tcp_',
  'init_',
  'vfs_',
  'd_',
  'ing',
  'er',
  '_r',
];

/** The tables of these symbols, which must be in order of address and include `_stext`. */
export function kallsymsImage(symbols: readonly TestSymbol[], options: KallsymsImageOptions): KallsymsImage {
  const base = options.base ?? 0xffff_ffff_8200_0000n;
  const tokens = tokenStrings();
  const relativeBase = relativeBaseOf(symbols, options.encoding);
  const tables = new Map<string, (place: bigint) => Uint8Array>();
  const names = symbols.map((symbol) => encodeName(`${symbol.type}${symbol.name}`, tokens));
  const addressTable = options.encoding === 'absolute' ? 'addresses' : 'offsets';
  const hasBase = relativeBase !== undefined;
  const addTokens = () => {
    tables.set('token_table', () => encodeText(tokens.map((token) => `${token}\0`).join('')));
    tables.set('token_index', () => tokenIndex(tokens));
  };
  const addAddresses = () => {
    tables.set(addressTable, (place) => encodeAddresses(symbols, options.encoding, place, relativeBase ?? 0n));
    if (hasBase) tables.set('relative_base', () => u64Bytes([relativeBase]));
  };
  if (options.layout === 'before-6.4') addAddresses();
  tables.set('num_syms', () => u32Bytes([symbols.length]));
  tables.set('names', () => concatBytes(names));
  tables.set('markers', () => u32Bytes(markers(names)));
  addTokens();
  if (options.layout !== 'before-6.4') addAddresses();

  const places = new Map<string, bigint>();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const [name, build] of tables) {
    const place = base + BigInt(length);
    const built = build(place);
    const part = new Uint8Array(Math.ceil(built.length / 8) * 8);
    part.set(built);
    places.set(name, place);
    parts.push(part);
    length += part.length;
  }
  const bytes = concatBytes(parts);
  const place = (name: string) => places.get(name) as bigint;
  const stext = symbols.find((symbol) => symbol.name === '_stext')?.address ?? 0n;
  const exported = [...places].filter(([name]) => name !== 'markers');
  const reads: { what: string; length: number }[] = [];
  return {
    bytes,
    base,
    reads,
    locations: {
      names: place('names'),
      numSyms: place('num_syms'),
      tokenTable: place('token_table'),
      tokenIndex: place('token_index'),
      addresses: places.get('addresses'),
      offsets: places.get('offsets'),
      relativeBase: places.get('relative_base'),
      stext,
    },
    vmcoreinfo: [
      'OSRELEASE=6.1.0-test',
      `SYMBOL(_stext)=${stext.toString(16)}`,
      ...exported.map(([name, at]) => `SYMBOL(kallsyms_${name})=${at.toString(16)}`),
      '',
    ].join('\n'),
    read(address, wanted, what) {
      const from = Number(address - base);
      reads.push({ what, length: wanted });
      if (from < 0 || from + wanted > bytes.length) throw new RangeError(`${what}: ${wanted} bytes at ${from}`);
      return bytes.slice(from, from + wanted);
    },
  };
}

/** Token i is the character i where it is printable; other numbers are pieces, and empty when there are no more. */
function tokenStrings(): string[] {
  const pieces = [...PIECES];
  return Array.from({ length: 256 }, (_, i) =>
    i > 0x20 && i < 0x7f ? String.fromCharCode(i) : (pieces.shift() ?? ''),
  );
}

function encodeName(name: string, tokens: readonly string[]): Uint8Array {
  const used: number[] = [];
  let rest = name;
  while (rest.length > 0) {
    let best = -1;
    for (const [i, token] of tokens.entries()) {
      const longer = best < 0 || token.length > (tokens[best] as string).length;
      if (token !== '' && rest.startsWith(token) && longer) best = i;
    }
    used.push(best);
    rest = rest.slice((tokens[best] as string).length);
  }
  const length = used.length < 0x80 ? [used.length] : [0x80 | (used.length & 0x7f), used.length >> 7];
  return Uint8Array.from([...length, ...used]);
}

function relativeBaseOf(symbols: readonly TestSymbol[], encoding: AddressEncoding): bigint | undefined {
  if (encoding === 'absolute' || encoding === 'place-relative') return undefined;
  const addresses = symbols.map((symbol) => symbol.address);
  const counted = encoding === 'absolute-percpu' ? addresses.filter((address) => address > 0xffff_ffffn) : addresses;
  return [...counted].sort((a, b) => Number(a - b))[0];
}

function encodeAddresses(
  symbols: readonly TestSymbol[],
  encoding: AddressEncoding,
  place: bigint,
  relativeBase: bigint,
): Uint8Array {
  if (encoding === 'absolute') return u64Bytes(symbols.map((symbol) => symbol.address));
  const offsets = symbols.map(({ address }, i) => {
    if (encoding === 'base-relative') return address - relativeBase;
    if (encoding === 'place-relative') return address - (place + BigInt(4 * i));
    return address <= 0x7fff_ffffn ? address : relativeBase - 1n - address;
  });
  return u32Bytes(offsets.map((offset) => Number(BigInt.asUintN(32, offset))));
}

/** Where every 256th name begins. */
function markers(names: readonly Uint8Array[]): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const [i, name] of names.entries()) {
    if (i % 256 === 0) starts.push(at);
    at += name.length;
  }
  return starts;
}

function tokenIndex(tokens: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [i, token] of tokens.entries()) {
    view.setUint16(2 * i, at, true);
    at += token.length + 1;
  }
  return bytes;
}

function u32Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}

function u64Bytes(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setBigUint64(8 * i, value, true);
  return bytes;
}

function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
