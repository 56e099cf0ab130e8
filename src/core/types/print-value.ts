/** Prints one value where the current line ends: the structure of a printed value, type by type. */
import { FaultError } from '../errors.ts';
import { PAGE_SIZE } from '../memory/address.ts';
import type { Fault } from '../memory/fault.ts';
import { isStringPointer, readStringBytes } from './c-string.ts';
import { printArray } from './format-array.ts';
import { formatCharArray, formatCharacter, formatString } from './format-c-string.ts';
import { formatEnum, formatNumber } from './format-enum.ts';
import { type Printer, printAddress, readableFor } from './printer.ts';
import { isCharacter } from './scalar.ts';
import { type ArrayType, type CompoundType, type CType, type PointerType, resolve } from './type.ts';
import { type Value, WHOLE_READ_MAX } from './value.ts';

export function printValue(printer: Printer, value: Value, level: number): void {
  try {
    printReadable(printer, value, level);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    printFault(printer, error.fault);
  }
}

function printReadable(printer: Printer, value: Value, level: number): void {
  const type = resolve(value.type);
  switch (type.kind) {
    case 'struct':
    case 'union':
      printCompound(printer, value, type, level);
      break;
    case 'array':
      if (type.count === 0) printFlexibleArray(printer, value, type.element);
      else if (isCharacter(type.element)) printCharArray(printer, value, type);
      else printArray(printer, value, type, level);
      break;
    case 'pointer':
      printPointer(printer, value, type);
      break;
    case 'function':
      printAddress(printer, value.address ?? 0n);
      break;
    default:
      printer.out.put(scalarText(value, type, printer.radix));
  }
}

function scalarText(value: Value, type: CType, radix: 10 | 16): string {
  switch (type.kind) {
    case 'int': {
      const number = value.toBigInt();
      if (type.bool && number <= 1n) return number === 1n ? 'true' : 'false';
      if (isCharacter(type) && radix === 10) return `${number} ${formatCharacter(Number(number & 0xffn))}`;
      return formatNumber(number, value.bits?.size ?? type.size * 8, radix);
    }
    case 'enum':
      return formatEnum(value.toBigInt(), type, radix);
    case 'float':
      return String(value.toNumber());
    case 'forward':
      return '<incomplete type>';
    default:
      return 'void';
  }
}

function printCompound(printer: Printer, value: Value, type: CompoundType, level: number): void {
  const { out } = printer;
  if (type.members.length === 0) out.put('{<No data fields>}');
  else if (level >= printer.depthMax) out.put('{...}');
  else printMembers(printer, readableFor(printer, value), type, level);
}

function printMembers(printer: Printer, value: Value, type: CompoundType, level: number): void {
  const { out } = printer;
  out.put('{');
  for (const [i, member] of type.members.entries()) {
    out.newline(2 * (level + 1));
    if (out.budget-- <= 0) {
      out.put('...');
      break;
    }
    if (member.name !== undefined) out.put(`${member.name} = `);
    printer.print(value.memberAt(member), level + 1);
    if (i < type.members.length - 1) out.put(',');
  }
  out.newline(2 * level);
  out.put('}');
}

function printCharArray(printer: Printer, value: Value, type: ArrayType): void {
  if (value.size <= WHOLE_READ_MAX) {
    printer.out.put(formatCharArray(value.bytes(), printer.printMax));
    return;
  }
  // A buffer of megabytes: no more of it is read than what is shown, and a page to see how long a run is.
  const length = PAGE_SIZE + printer.printMax;
  const start = value.part({ kind: 'array', element: type.element, count: length, size: length }, 0, value.what);
  printer.out.put(formatString(start.bytes(), printer.printMax, true));
}

/** A flexible array has no elements that its type knows of: where it begins, and for characters the string there. */
function printFlexibleArray(printer: Printer, value: Value, element: CType): void {
  if (value.address === undefined) {
    printer.out.put('{}');
    return;
  }
  printAddress(printer, value.address, element);
  if (isCharacter(element)) printStringAt(printer, value, value.address);
}

function printPointer(printer: Printer, value: Value, type: PointerType): void {
  const address = value.toBigInt();
  printAddress(printer, address, type.target);
  if (address !== 0n && isStringPointer(type)) printStringAt(printer, value, address);
}

function printStringAt(printer: Printer, value: Value, address: bigint): void {
  const what = `the string of ${value.what}`;
  const { bytes, ended, fault } = readStringBytes(value.memory, address, printer.printMax, what);
  printer.out.put(' ');
  if (fault !== undefined && bytes.length === 0) printFault(printer, fault);
  else printer.out.put(formatString(bytes, printer.printMax, !ended));
}

function printFault(printer: Printer, fault: Fault): void {
  printer.out.put({ text: `<${fault.message}>`, tone: 'error' });
}
