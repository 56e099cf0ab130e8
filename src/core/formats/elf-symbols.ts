/**
 * ELF symbol tables: of a vmlinux file, and of each loaded module, whose struct module keeps symtab and strtab in
 * memory (kernel/module/kallsyms.c). A module's symbols have their final addresses in st_value. Their nm letters are
 * in a table beside them, `mod_kallsyms.typetab`, since 1c7651f43777 "kallsyms: store type information in its own
 * array" (v5.2); before that st_info was overwritten with the letter.
 *
 *     Elf64_Sym: st_name u32 · st_info u8 · st_other u8 · st_shndx u16 · st_value u64 · st_size u64
 */
import { DataError } from '../errors.ts';
import { allocateColumns, isNameByte, isTypeByte, SYMBOL_NAME_MAX, type SymbolColumns } from './kallsyms-columns.ts';

export const ELF_SYMBOL_LENGTH = 24;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const STT_SECTION = 3;
const STT_FILE = 4;
/** No vmlinux has a million. */
const SYMBOLS_MAX = 1 << 22;

export interface ElfSymbolTable {
  /** Elf64_Sym after Elf64_Sym. */
  readonly symbols: Uint8Array;
  /** The strings that st_name points into. */
  readonly strings: Uint8Array;
  /** nm letters, one a symbol, where the kernel has them; without, they are told from st_info and `sectionType`. */
  readonly types?: Uint8Array;
  /** nm's lower-case letter for symbols of a section, told from its flags; `t` is assumed for functions. */
  readonly sectionType?: (sectionIndex: number) => string;
  /** The module they belong to; undefined for vmlinux. */
  readonly module?: string;
}

/**
 * The defined symbols as columns: without undefined ones, files and sections. Labels of string constants (`.LC5`) are
 * kept, as /proc/kallsyms keeps them. The columns keep `strings` as the store of names.
 */
export function elfSymbolColumns(table: ElfSymbolTable): SymbolColumns {
  const { symbols, strings, types } = table;
  const total = Math.floor(symbols.length / ELF_SYMBOL_LENGTH);
  if (total > SYMBOLS_MAX) throw new DataError(`ELF symbol table with ${total} entries`);
  const view = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
  const columns = allocateColumns(total, strings);
  let count = 0;
  let skipped = 0;
  for (let i = 0; i < total; i++) {
    const at = i * ELF_SYMBOL_LENGTH;
    const info = view.getUint8(at + 4);
    const section = view.getUint16(at + 6, true);
    const kind = info & 15;
    const nameStart = view.getUint32(at, true);
    if (section === SHN_UNDEF || strings[nameStart] === 0) continue;
    if (kind === STT_SECTION || kind === STT_FILE) continue;
    const nameLength = nameLengthAt(strings, nameStart);
    if (nameLength === 0) {
      skipped++;
      continue;
    }
    const letter = types?.[i] ?? letterOf(info, section, table.sectionType);
    columns.addresses[count] = view.getBigUint64(at + 8, true);
    columns.types[count] = isTypeByte(letter) ? letter : 0x3f;
    columns.nameStarts[count] = nameStart;
    columns.nameLengths[count] = nameLength;
    columns.modules[count] = table.module === undefined ? 0 : 1;
    count++;
  }
  return { ...columns, count, moduleNames: table.module === undefined ? [] : [table.module], skipped };
}

/** Bytes up to the NUL; 0 when the name is empty, too long, without an end, or not printable. */
function nameLengthAt(strings: Uint8Array, start: number): number {
  let end = start;
  while (end < strings.length && isNameByte(strings[end] as number)) end++;
  const length = end - start;
  return strings[end] === 0 && length <= SYMBOL_NAME_MAX ? length : 0;
}

/** nm's letter from the binding (local 0, global 1, weak 2) and kind (object 1, function 2). */
function letterOf(info: number, section: number, sectionType: ElfSymbolTable['sectionType']): number {
  const binding = info >> 4;
  const kind = info & 15;
  if (binding === 2) return (kind === 1 ? 'V' : 'W').charCodeAt(0);
  const lower = section === SHN_ABS ? 'a' : (sectionType?.(section) ?? (kind === 1 ? 'd' : 't'));
  return (binding === 0 ? lower : lower.toUpperCase()).charCodeAt(0);
}
