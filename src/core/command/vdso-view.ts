/** A vDSO as rows: its mappings, its symbols, its code. */
import type { Disassembler, Instruction } from '../arch/x86_64/disassemble.ts';
import { UnsupportedError } from '../errors.ts';
import type { DynamicSymbol } from '../formats/elf-dynamic.ts';
import type { Vdso, VdsoMapping } from '../kernel/vdso.ts';
import { formatAddress, formatHex, PAGE_SIZE } from '../memory/address.ts';
import { addressColumn, decimalColumn, hexColumn, textColumn } from '../output/columns.ts';
import { type Item, row, text } from '../output/item.ts';
import { span } from '../output/line.ts';

export const VDSO_COLUMNS = {
  address: addressColumn('ADDRESS', 'where the process has it', { ref: () => undefined }),
  offset: hexColumn('OFFSET', 'from the start of the vDSO'),
  size: decimalColumn('SIZE', 'in bytes'),
  type: textColumn('TYPE', 'what it is', { width: 8 }),
  name: textColumn('NAME', 'its name'),
};

/** A line for a mapping, with the pages of data in it. */
export function vdsoMapping({ name, start, end, pages }: VdsoMapping, vdso: Vdso): Item {
  const isImage = start === vdso.start;
  const data = {
    kind: 'mapping',
    name,
    start,
    end,
    pages: pages.map((page) => ({ name: page.name, address: page.address })),
    ...(isImage ? { image: vdso.image, data: vdso.data, soname: vdso.soname ?? null, bits: vdso.bits } : {}),
  };
  const what = isImage
    ? [
        `  ${vdso.soname ?? 'without a name'}, ${vdso.bits} bits, in the kernel at `,
        span(formatAddress(vdso.data), { kind: 'address', address: vdso.data }, 'address'),
      ]
    : pages.map((page) => `  ${page.name} ${formatAddress(page.address)}`);
  return row(data, () => [
    [`${formatAddress(start)}-${formatAddress(end)}  `, span(name.padEnd(14), undefined, 'header'), ...what],
  ]);
}

export function vdsoSymbol(symbol: DynamicSymbol, { start }: Vdso): Item {
  const { name, offset, size, weak } = symbol;
  const address = start + BigInt(offset);
  const type = weak ? 'alias' : symbol.type;
  return row({ kind: 'symbol', address, offset, size, type, name }, VDSO_COLUMNS);
}

/** Those symbols disassembled, each place once, under all of its names. Throws UnsupportedError for 32-bit code. */
export function* vdsoCode(
  vdso: Vdso,
  symbols: readonly DynamicSymbol[],
  disassembler: Disassembler,
  syntax: 'att' | 'intel',
): Iterable<Item> {
  if (vdso.bits === 32)
    throw new UnsupportedError('the vDSO of a 32-bit process is 32-bit code: kdbg decodes only 64-bit');
  let last: number | undefined;
  for (const { offset, size } of symbols) {
    if (offset === last) continue;
    const names = vdso.symbols.filter((each) => each.offset === offset).map(({ name }) => name);
    yield last === undefined ? text(heading(names)) : text('', heading(names));
    last = offset;
    const start = vdso.start + BigInt(offset);
    const bytes = vdso.bytes.subarray(offset, offset + size);
    const symbolise = (address: bigint): string | undefined => placeIn(vdso, address);
    for (const instruction of disassembler.decode(bytes, start, { syntax, symbolise })) {
      yield instructionRow(instruction, names[0] ?? '', start);
    }
  }
}

function heading(names: readonly string[]) {
  return [span(`${names.join(' = ')}:`, undefined, 'header')];
}

function instructionRow({ address, bytes, text: body }: Instruction, symbol: string, start: bigint): Item {
  const offset = Number(address - start);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return row({ kind: 'instruction', address, symbol, offset, bytes: hex, text: body }, () => [
    [span(formatHex(address), undefined, 'address'), ` <${symbol}+0x${offset.toString(16)}>:\t${body}`],
  ]);
}

/** `__vdso_getcpu+0x10`, or a page of data: `vvar+0x80`. */
function placeIn(vdso: Vdso, address: bigint): string | undefined {
  const within = (name: string, from: bigint): string =>
    address === from ? name : `${name}+0x${(address - from).toString(16)}`;
  for (const { name, start, end, pages } of vdso.mappings) {
    if (start === vdso.start || address < start || address >= end) continue;
    const page = pages.find((each) => address >= each.address && address < each.address + BigInt(PAGE_SIZE));
    return page === undefined ? within(name, start) : within(page.name, page.address);
  }
  const offset = Number(address - vdso.start);
  const symbol = vdso.symbols.find((each) => offset >= each.offset && offset < each.offset + each.size);
  return symbol === undefined ? undefined : within(symbol.name, vdso.start + BigInt(symbol.offset));
}
