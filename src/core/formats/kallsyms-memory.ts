/**
 * kallsyms from the tables in kernel memory: for dumps, and for live kernels whose /proc/kallsyms hides addresses.
 * scripts/kallsyms.c makes them at build time, kernel/kallsyms.c reads them:
 *
 *     kallsyms_num_syms      u32
 *     kallsyms_names         a length, then so many token numbers of one byte, for each symbol in order of address
 *     kallsyms_token_table   the tokens, NUL-terminated strings of one or more characters
 *     kallsyms_token_index   u16[256]: where each token begins
 *     kallsyms_offsets or kallsyms_addresses, with or without kallsyms_relative_base: kallsyms-addresses.ts
 *
 * A symbol's tokens spell its nm letter and its name. The length is one byte; since 73bbb94466fd "kallsyms: support
 * "big" kernel symbols" (v6.1) bit 7 says that a second byte holds bits 7 and up. Older kernels never set it (no
 * name of theirs is 128 tokens long), so one reader serves both.
 *
 * VMCOREINFO says where the tables are since 5fd8fea935a1 "vmcoreinfo: include kallsyms symbols" (v6.0) and in many
 * distributions' older kernels. Each is fetched in one read: the names' length is not stored, but the tokens follow
 * them in every version.
 */
import { DataError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import {
  type AddressEncoding,
  type AddressTable,
  addressEntryLength,
  addressOf,
  decodeAddresses,
} from './kallsyms-addresses.ts';
import type { SymbolColumns } from './kallsyms-columns.ts';
import {
  type ExpandedNames,
  expandNames,
  indexOfName,
  namesLength,
  parseTokens,
  TOKEN_INDEX_LENGTH,
} from './kallsyms-names.ts';
import type { Vmcoreinfo } from './vmcoreinfo.ts';

/** Where the tables are in kernel memory. */
export interface KallsymsLocations {
  readonly names: bigint;
  readonly numSyms: bigint;
  readonly tokenTable: bigint;
  readonly tokenIndex: bigint;
  readonly addresses: bigint | undefined;
  readonly offsets: bigint | undefined;
  readonly relativeBase: bigint | undefined;
  /** The address of `_stext`, which the encoding is checked against. */
  readonly stext: bigint;
}

/** Reads kernel virtual memory; throws (FaultError) when it cannot. `what` names the table. */
export type ReadKernelMemory = (address: bigint, length: number, what: string) => Uint8Array;

export interface KallsymsMemory {
  /** vmlinux's symbols; the modules keep theirs apart, in their own symbol tables. */
  readonly columns: SymbolColumns;
  readonly encoding: AddressEncoding;
}

/** vmlinux has some 200,000 symbols. */
const SYMBOLS_MAX = 1 << 22;
/** Tokens are 256 strings of a few characters. */
const TOKEN_TABLE_MAX = 0x10000;
const NAMES_MAX = 64 * 1024 * 1024;
/** Bytes of names to try first where no table follows them; real kernels need 11 a symbol. */
const NAME_GUESS = 16;
/** A name of 512 characters, each its own token, and the two bytes of its length. */
const ENTRY_MAX = 514;

/** The locations in VMCOREINFO; undefined when the kernel does not give them. */
export function kallsymsLocations(info: Vmcoreinfo): KallsymsLocations | undefined {
  const names = info.symbol('kallsyms_names');
  const numSyms = info.symbol('kallsyms_num_syms');
  const tokenTable = info.symbol('kallsyms_token_table');
  const tokenIndex = info.symbol('kallsyms_token_index');
  const stext = info.symbol('_stext');
  const addresses = info.symbol('kallsyms_addresses');
  const offsets = info.symbol('kallsyms_offsets');
  if (names === undefined || numSyms === undefined || stext === undefined) return undefined;
  if (tokenTable === undefined || tokenIndex === undefined) return undefined;
  if (addresses === undefined && offsets === undefined) return undefined;
  const relativeBase = info.symbol('kallsyms_relative_base');
  return { names, numSyms, tokenTable, tokenIndex, addresses, offsets, relativeBase, stext };
}

/** Reads and decodes the tables, in six reads or fewer; throws DataError when they contradict each other. */
export function readKallsyms(read: ReadKernelMemory, at: KallsymsLocations): KallsymsMemory {
  const count = viewOf(read(at.numSyms, 4, 'kallsyms_num_syms')).getUint32(0, true);
  if (count === 0 || count > SYMBOLS_MAX) throw new DataError(`kallsyms_num_syms is ${count}`);
  const index = read(at.tokenIndex, TOKEN_INDEX_LENGTH, 'kallsyms_token_index');
  const tokens = parseTokens(read(at.tokenTable, tokenTableLength(at, index), 'kallsyms_token_table'), index);
  const names = expandNames(readNames(read, at, count), count, tokens);
  const table = readAddresses(read, at, count, names);
  return { columns: wellFormedColumns(names, decodeAddresses(table, count)), encoding: table.encoding };
}

/** The index follows the table in every version; otherwise the last token's place tells, give or take its length. */
function tokenTableLength(at: KallsymsLocations, index: Uint8Array): number {
  const length = at.tokenIndex - at.tokenTable;
  if (length > 0n && length <= BigInt(TOKEN_TABLE_MAX)) return Number(length);
  const last = viewOf(index).getUint16(TOKEN_INDEX_LENGTH - 2, true);
  return Math.min(TOKEN_TABLE_MAX, last + 256);
}

function readNames(read: ReadKernelMemory, at: KallsymsLocations, count: number): Uint8Array {
  const max = Math.min(NAMES_MAX, count * ENTRY_MAX);
  const following = [at.tokenTable, at.tokenIndex, at.offsets, at.addresses, at.relativeBase, at.numSyms]
    .map((address) => (address ?? 0n) - at.names)
    .filter((distance) => distance > 0n && distance <= BigInt(max))
    .map(Number);
  let length = following.length > 0 ? Math.min(...following) : Math.min(max, count * NAME_GUESS);
  for (;;) {
    const names = read(at.names, length, 'kallsyms_names');
    if (namesLength(names, count) !== undefined) return names;
    if (length >= max || following.length > 0) {
      throw new DataError(`kallsyms_names does not hold ${count} names in ${length} bytes`);
    }
    length = Math.min(max, length * 2);
  }
}

/** The address table in the encoding that gives `_stext` its address. */
function readAddresses(
  read: ReadKernelMemory,
  at: KallsymsLocations,
  count: number,
  names: ExpandedNames,
): AddressTable {
  const stext = indexOfName(names, '_stext');
  if (stext < 0) throw new DataError('kallsyms has no _stext');
  const refused: string[] = [];
  for (const table of candidateTables(read, at, count)) {
    const address = addressOf(table, stext);
    if (address === at.stext) return table;
    refused.push(`${formatAddress(address)} (${table.encoding})`);
  }
  throw new DataError(
    `kallsyms puts _stext at ${refused.join(' or ')}, but it is at ${formatAddress(at.stext)}`,
    'the tables are of another kernel, or encoded in a way that is not known yet',
  );
}

/** The encodings that the exported tables allow. */
function* candidateTables(read: ReadKernelMemory, at: KallsymsLocations, count: number): Generator<AddressTable> {
  if (at.offsets !== undefined) {
    const bytes = read(at.offsets, count * addressEntryLength('base-relative'), 'kallsyms_offsets');
    if (at.relativeBase === undefined) {
      yield { encoding: 'place-relative', bytes, place: at.offsets, base: 0n };
    } else {
      const base = viewOf(read(at.relativeBase, 8, 'kallsyms_relative_base')).getBigUint64(0, true);
      yield { encoding: 'base-relative', bytes, place: at.offsets, base };
      yield { encoding: 'absolute-percpu', bytes, place: at.offsets, base };
    }
  }
  if (at.addresses !== undefined) {
    const bytes = read(at.addresses, count * addressEntryLength('absolute'), 'kallsyms_addresses');
    yield { encoding: 'absolute', bytes, place: at.addresses, base: 0n };
  }
}

/** Columns without the entries whose name was malformed. */
function wellFormedColumns(names: ExpandedNames, addresses: BigUint64Array): SymbolColumns {
  const { types, nameBytes, nameStarts, nameLengths, malformed } = names;
  let count = 0;
  if (malformed > 0) {
    for (let i = 0; i < addresses.length; i++) {
      if (nameLengths[i] === 0) continue;
      addresses[count] = addresses[i] as bigint;
      types[count] = types[i] as number;
      nameStarts[count] = nameStarts[i] as number;
      nameLengths[count] = nameLengths[i] as number;
      count++;
    }
  } else {
    count = addresses.length;
  }
  const modules = new Uint16Array(count);
  return { count, addresses, types, nameBytes, nameStarts, nameLengths, modules, moduleNames: [], skipped: malformed };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
