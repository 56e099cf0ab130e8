/**
 * /proc/kallsyms, a line a symbol (kernel/kallsyms.c, s_show()):
 *
 *     ffffffff810f6390 T schedule
 *     ffffffffc0201000 t nfs_wait_bit_killable	[nfs]
 *
 * 16 hex digits, nm's letter, the name, and for a module's symbol a tab and the module in brackets. vmlinux's symbols
 * come first, sorted; then each module's, in the order of its own symbol table; then those of ftrace trampolines, BPF
 * programs and kprobe pages under pseudo modules such as [bpf].
 *
 * A reader without CAP_SYSLOG, or any reader under kptr_restrict=2, sees every address as zero: the names are true and
 * the addresses are hidden (kallsyms_show_value()). A first address of zero alone means nothing: x86's per-CPU symbols
 * start there up to v6.14.
 */
import { decodeAscii } from '../memory/text.ts';
import {
  allocateColumns,
  HIGH_WORD,
  internModule,
  isNameByte,
  isTypeByte,
  LOW_WORD,
  SYMBOL_NAME_MAX,
  type SymbolColumns,
} from './kallsyms-columns.ts';

export interface KallsymsText {
  readonly columns: SymbolColumns;
  /** There are symbols and every address is zero: the kernel hides them from this reader. */
  readonly hidden: boolean;
}

const ADDRESS_DIGITS = 16;
/** `ADDRESS t n\n`: what bounds the number of symbols by the length of the text. */
const LINE_MIN = ADDRESS_DIGITS + 5;
/** `\t[module]`; a module's name is at most 56 bytes (MODULE_NAME_LEN). */
const MODULE_MAX = 128;
const NEWLINE = 10;
const TAB = 9;
const SPACE = 32;

/** The value of each hex digit's character code; 255 for everything else. */
const HEX = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/**
 * Parses the bytes of /proc/kallsyms in one pass. A malformed line, or a last line without its newline (the read was
 * cut), is skipped and counted. The columns keep `bytes` as the store of names: do not change it afterwards.
 */
export function parseKallsyms(bytes: Uint8Array): KallsymsText {
  const capacity = Math.floor(bytes.length / LINE_MIN);
  const columns = allocateColumns(capacity, bytes);
  const words = new Uint32Array(columns.addresses.buffer);
  const modules = new ModuleNames(bytes);
  let count = 0;
  let skipped = 0;
  let bits = 0;
  let at = 0;
  while (at < bytes.length) {
    const line = at;
    const high = hexWord(bytes, line);
    const low = hexWord(bytes, line + 8);
    const nameStart = line + ADDRESS_DIGITS + 3;
    let nameEnd = nameStart;
    while (isNameByte(bytes[nameEnd] as number)) nameEnd++;
    let end = nameEnd;
    const module = bytes[end] === TAB ? modules.indexAt(end + 1) : 0;
    if (module !== 0) end = modules.end;
    const wellFormed =
      high >= 0 &&
      low >= 0 &&
      bytes[line + 16] === SPACE &&
      isTypeByte(bytes[line + 17] as number) &&
      bytes[line + 18] === SPACE &&
      nameEnd > nameStart &&
      nameEnd - nameStart <= SYMBOL_NAME_MAX &&
      bytes[end] === NEWLINE;
    if (!wellFormed) {
      skipped++;
      const newline = bytes.indexOf(NEWLINE, line);
      at = newline < 0 ? bytes.length : newline + 1;
      continue;
    }
    words[2 * count + HIGH_WORD] = high;
    words[2 * count + LOW_WORD] = low;
    bits |= high | low;
    columns.types[count] = bytes[line + 17] as number;
    columns.nameStarts[count] = nameStart;
    columns.nameLengths[count] = nameEnd - nameStart;
    columns.modules[count] = module;
    count++;
    at = end + 1;
  }
  return {
    columns: { ...columns, count, moduleNames: modules.names(), skipped },
    hidden: count > 0 && bits === 0,
  };
}

/** Eight hex digits as an unsigned number; -1 when one is not a digit or the bytes end. */
function hexWord(bytes: Uint8Array, at: number): number {
  let value = 0;
  let invalid = 0;
  for (let i = at; i < at + 8; i++) {
    const digit = HEX[bytes[i] ?? 0] as number;
    invalid |= digit;
    value = (value << 4) | digit;
  }
  return invalid > 15 ? -1 : value >>> 0;
}

/** The modules met so far. Lines of one module follow each other, so a name is decoded once a run, not once a line. */
class ModuleNames {
  readonly #bytes: Uint8Array;
  readonly #indexes = new Map<string, number>();
  #lastStart = 0;
  #lastLength = 0;
  #lastIndex = 0;
  /** Past the closing bracket that `indexAt` found. */
  end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  names(): readonly string[] {
    return [...this.#indexes.keys()];
  }

  /** The index of the `[module]` at `start`; 0 when it is not well formed. */
  indexAt(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== 0x5b) return 0;
    let close = start + 1;
    while (isNameByte(bytes[close] as number) && bytes[close] !== 0x5d && close - start <= MODULE_MAX) close++;
    const length = close - start - 1;
    if (bytes[close] !== 0x5d || length === 0) return 0;
    this.end = close + 1;
    if (length === this.#lastLength && this.#sameAsLast(start + 1)) return this.#lastIndex;
    this.#lastStart = start + 1;
    this.#lastLength = length;
    this.#lastIndex = internModule(this.#indexes, decodeAscii(bytes, start + 1, close));
    return this.#lastIndex;
  }

  #sameAsLast(start: number): boolean {
    for (let i = 0; i < this.#lastLength; i++) {
      if (this.#bytes[start + i] !== this.#bytes[this.#lastStart + i]) return false;
    }
    return true;
  }
}
