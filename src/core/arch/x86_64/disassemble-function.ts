/**
 * What of a function to disassemble: all of it, from its start up to an address (`dis -r`), from an address to its end
 * (`dis -f`), or a number of instructions either way. x86 code can only be decoded forwards, so whatever ends at an
 * address is decoded from the start of its function.
 *
 * kallsyms has no sizes: a function ends where the next symbol at another address begins, and what lies between is
 * padding (nop, int3). That includes the `__pfx_` padding of the next function, which is a symbol of its own.
 */
import { DataError, FaultError, NotFoundError } from '../../errors.ts';
import { formatAddress, PAGE_SIZE } from '../../memory/address.ts';
import { Fault } from '../../memory/fault.ts';
import { formatSymbol, type KernelSymbol, type SymbolTable } from '../../symbols/symbol-table.ts';
import type { DecodeOptions, Disassembler, Instruction, Symbolise } from './disassemble.ts';

/** What disassembly needs of a target. */
export interface CodeSource {
  readonly disassembler: Disassembler;
  readonly symbols: SymbolTable;
  /** Kernel memory: text is read as it is now, with what ftrace, jump labels and live patches changed in it. */
  readonly memory: { tryRead(address: bigint, length: number, what: string): Uint8Array | Fault };
}

export interface ListingOptions extends Pick<DecodeOptions, 'syntax' | 'bytesAfterUd2'> {
  /** Radix of the offsets in `<symbol+0x1c>`. */
  readonly radix?: 10 | 16;
  /** Keep the padding at the end of a whole function. */
  readonly padding?: boolean;
}

/** The extent of a function. */
export interface FunctionRange {
  readonly symbol: KernelSymbol;
  readonly start: bigint;
  /** Past its last byte. */
  readonly end: bigint;
}

/** No function of the kernel is longer; `size` of a symbol before a gap is. */
const FUNCTION_LENGTH_MAX = 1024 * 1024;
/** What to list of the last function of a module, whose end is not known. */
const LAST_FUNCTION_LENGTH = 4096;
const INSTRUCTION_LENGTH_MAX = 15;
/** Symbols at one address: four or five in practice. */
const ALIASES_MAX = 64;
/** Instructions that one request lists at most. */
export const LISTING_MAX = 100_000;

/** The function that holds the address; undefined when it is in no symbol. */
export function functionAt(symbols: SymbolTable, address: bigint): FunctionRange | undefined {
  const found = symbols.nearest(address);
  if (found === undefined) return undefined;
  const { symbol, offset } = found;
  const length = symbol.size ?? lastLength(symbols, symbol, offset);
  const start = symbol.address;
  return { symbol, start, end: start + BigInt(Math.min(length, FUNCTION_LENGTH_MAX)) };
}

/** How far to list a function whose end is not known: some way past the offset asked for, and not into another module. */
function lastLength(symbols: SymbolTable, symbol: KernelSymbol, offset: number): number {
  const length = Math.max(LAST_FUNCTION_LENGTH, offset + INSTRUCTION_LENGTH_MAX);
  let next = symbols.next(symbol);
  for (let alias = 0; alias < ALIASES_MAX && next?.address === symbol.address; alias++) next = symbols.next(next);
  if (next === undefined || next.address === symbol.address) return length;
  const distance = next.address - symbol.address;
  return distance < BigInt(length) ? Number(distance) : length;
}

/** A whole function, without the padding behind it. */
export function disassembleFunction(
  source: CodeSource,
  symbol: KernelSymbol,
  options: ListingOptions = {},
): readonly Instruction[] {
  const range = rangeAt(source, symbol.address);
  const instructions = decodeRange(source, range.start, range.end, options);
  return options.padding === true ? instructions : withoutPadding(instructions);
}

/** From the start of the function up to the instruction that holds `address` (`dis -r`), or the last `count` of those. */
export function disassembleUntil(
  source: CodeSource,
  address: bigint,
  options: ListingOptions & { readonly count?: number } = {},
): readonly Instruction[] {
  const { start } = rangeAt(source, address);
  const end = address + 1n;
  const instructions = decodeRange(source, start, end, options);
  return options.count === undefined ? instructions : instructions.slice(-Math.max(1, options.count));
}

/** From `address` to the end of its function (`dis -f`), or the first `count` of those. */
export function disassembleFrom(
  source: CodeSource,
  address: bigint,
  options: ListingOptions & { readonly count?: number } = {},
): readonly Instruction[] {
  const { end } = rangeAt(source, address);
  const instructions = decodeRange(source, address, end, options, options.count);
  return options.padding === true || options.count !== undefined ? instructions : withoutPadding(instructions);
}

/** `count` instructions from `address` on, into whatever follows; the address may be in no symbol. */
export function disassembleCount(
  source: CodeSource,
  address: bigint,
  count: number,
  options: ListingOptions = {},
): readonly Instruction[] {
  const wanted = Math.min(Math.max(1, count), LISTING_MAX);
  return decodeRange(source, address, address + BigInt(wanted * INSTRUCTION_LENGTH_MAX), options, wanted);
}

/**
 * The instruction of its function that `address` lies within without being its start: what is decoded from there on is
 * not what the CPU runs. Undefined where the address starts one, is in no symbol, or nothing can be read before it.
 */
export function instructionAround(source: CodeSource, address: bigint): Instruction | undefined {
  const range = functionAt(source.symbols, address);
  if (range === undefined || address === range.start || address >= range.end) return undefined;
  const bytes = source.memory.tryRead(range.start, Number(address - range.start) + INSTRUCTION_LENGTH_MAX, 'text');
  if (bytes instanceof Fault) return undefined;
  const last = source.disassembler.decode(bytes, range.start, { end: address + 1n, limit: LISTING_MAX }).at(-1);
  if (last === undefined || last.address === address) return undefined;
  return address < last.address + BigInt(last.bytes.length) ? last : undefined;
}

/** Names targets as crash does: `<symbol+0x1c>`, and per-CPU variables by their place in the per-CPU area. */
export function symboliseTargets(symbols: SymbolTable, radix: 10 | 16 = 16): Symbolise {
  return (address, kind) => {
    const found = symbols.nearest(address);
    if (found === undefined) return undefined;
    // A constant that only points into something is a number as often as an address.
    if (kind === 'value' && found.offset !== 0 && symbols.isText(address)) return undefined;
    return formatSymbol(found.symbol, found.offset, radix);
  };
}

function rangeAt(source: CodeSource, address: bigint): FunctionRange {
  const range = functionAt(source.symbols, address);
  if (range === undefined) throw new NotFoundError('symbol', formatAddress(address), [], 'to disassemble in');
  return range;
}

function decodeRange(
  source: CodeSource,
  start: bigint,
  end: bigint,
  options: ListingOptions,
  limit?: number,
): readonly Instruction[] {
  // The last instruction may go past `end`.
  const length = Math.min(Number(end - start) + INSTRUCTION_LENGTH_MAX, FUNCTION_LENGTH_MAX + INSTRUCTION_LENGTH_MAX);
  const bytes = readCode(source, start, length);
  const instructions = source.disassembler.decode(bytes, start, {
    end,
    limit: Math.min(limit ?? LISTING_MAX, LISTING_MAX),
    symbolise: symboliseTargets(source.symbols, options.radix),
    ...(options.syntax === undefined ? {} : { syntax: options.syntax }),
    ...(options.bytesAfterUd2 === undefined ? {} : { bytesAfterUd2: options.bytesAfterUd2 }),
  });
  if (instructions.length === 0) throw new DataError(`no instruction at ${formatAddress(start)}`);
  return instructions;
}

/** The bytes up to the first page that cannot be read: text may end where nothing is mapped. Throws FaultError when that is the first. */
function readCode(source: CodeSource, address: bigint, length: number): Uint8Array {
  const whole = source.memory.tryRead(address, length, 'text');
  if (!(whole instanceof Fault)) return whole;
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const at = address + BigInt(done);
    const toPageEnd = PAGE_SIZE - Number(at & BigInt(PAGE_SIZE - 1));
    const part = source.memory.tryRead(at, Math.min(toPageEnd, length - done), 'text');
    if (part instanceof Fault) break;
    bytes.set(part, done);
    done += part.length;
  }
  if (done === 0) throw new FaultError(whole);
  return bytes.subarray(0, done);
}

function withoutPadding(instructions: readonly Instruction[]): readonly Instruction[] {
  let count = instructions.length;
  while (count > 1 && instructions[count - 1]?.isPadding === true) count--;
  return instructions.slice(0, count);
}
