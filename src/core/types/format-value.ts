/**
 * Values printed as C, as crash and gdb do: `struct NAME {` and two spaces a level, `member = value,`, pointers with
 * the symbol they point at, char arrays as strings, runs of equal elements with their count, enums by name. What
 * cannot be read is written in its place as `<cannot read ...>`, and the rest goes on.
 *
 * A structure is read whole and at once; the strings that its char pointers point to are asked for in one more
 * request.
 */
import { prefetchStrings } from './prefetch-strings.ts';
import { printValue } from './print-value.ts';
import { compoundHeading, type FormatOptions, type Printer } from './printer.ts';
import { isCharacter } from './scalar.ts';
import { resolve } from './type.ts';
import { typeName } from './type-name.ts';
import type { Value } from './value.ts';
import { type ValueLine, ValueLines, valueLineText } from './value-line.ts';

const PRINT_MAX = 256;
const DEPTH_MAX = 20;
/** Elements and members of one printed value altogether: types can nest arrays in arrays. */
const BUDGET = 100_000;

/** A value as `p` prints it after `= `: pointers with their type, structures from their brace on. */
export function formatValue(value: Value, options: FormatOptions = {}): readonly ValueLine[] {
  const printer = printerOf(options);
  prefetchStrings(value);
  const type = resolve(value.type);
  if (type.kind === 'function') printer.out.put(`{${typeName(value.type)}} `);
  else if (type.kind === 'pointer' && !isCharacter(type.target)) printer.out.put(`(${typeName(value.type)}) `);
  printer.print(value, 0);
  return printer.out.lines;
}

/** A structure as `struct` prints it: from `struct NAME {` to its closing brace. */
export function formatStruct(value: Value, options: FormatOptions = {}): readonly ValueLine[] {
  const printer = printerOf(options);
  prefetchStrings(value);
  const type = resolve(value.type);
  if (type.kind === 'struct' || type.kind === 'union') printer.out.put(`${compoundHeading(type)} `);
  printer.print(value, 0);
  return printer.out.lines;
}

/** One member as `struct NAME.MEMBER` prints it: `  name = value,`. */
export function formatMember(name: string, value: Value, options: FormatOptions = {}): readonly ValueLine[] {
  const printer = printerOf(options);
  prefetchStrings(value);
  printer.out.put(`  ${name} = `);
  printer.print(value, 1);
  printer.out.put(',');
  return printer.out.lines;
}

/** The value on one line, for a cell of a table: `{next = 0xffff..., prev = 0xffff...}`. */
export function formatInline(value: Value, options: FormatOptions = {}): string {
  const printer = printerOf({ ...options, inline: true });
  printer.print(value, 0);
  return printer.out.lines.map(valueLineText).join(' ');
}

function printerOf(options: FormatOptions): Printer {
  const printer: Printer = {
    out: new ValueLines({ inline: options.inline === true, budget: BUDGET }),
    radix: options.radix ?? 10,
    printMax: options.printMax ?? PRINT_MAX,
    depthMax: options.depthMax ?? DEPTH_MAX,
    symbolise: options.symbolise ?? (() => undefined),
    print: (value, level) => printValue(printer, value, level),
  };
  return printer;
}
