/** printk's conversions, as far as events use them (Documentation/core-api/printk-formats.rst). */
import type { EventValue } from './event-value.ts';

/** What pointers mean. */
export interface PrintNames {
  /** A function's name with its offset; undefined where nothing is known of the address. */
  symbol(address: bigint): string | undefined;
  /** A text of the kernel image, of printk_formats. */
  text(address: bigint): string | undefined;
}

export const DIRECTIVE =
  /%(?<flags>[-+ #0]*)(?<width>\*|\d{1,4})?(?:\.(?<precision>\*|\d{0,4}))?(?<length>hh|h|ll|l|L|z|j|t)?(?<conversion>[diuxXocsp%])(?<more>[A-Za-z0-9]*)/g;
/** After %p, letters that choose what is shown; others are text that follows. */
const POINTER = /^(?:[sS]R?b?|[Bb]|f|F|K|x|[mM][FR]?|[iI][46]c?|UUID|U[bBlL]?|ad?|e)/;

/** The kernel's buffer for a line of a trace is hardly longer. */
const WIDTH_MAX = 1024;
/** -MAX_ERRNO as a pointer (include/linux/err.h). */
const ERROR_FIRST = 0xffff_ffff_ffff_f001n;

/** Undefined where arguments are missing or do not fit; one whose value is not known is a question mark. */
export function printText(
  format: string,
  values: readonly (EventValue | undefined)[],
  names: PrintNames,
): string | undefined {
  let used = 0;
  let isWrong = false;
  const take = (): EventValue | undefined => {
    if (used >= values.length) isWrong = true;
    return values[used++];
  };
  const number = (text: string | undefined): number | undefined => {
    if (text !== '*') return text === undefined ? undefined : Math.min(Number(text), WIDTH_MAX);
    const value = take();
    return typeof value === 'bigint' ? Math.min(Number(BigInt.asIntN(16, value)), WIDTH_MAX) : 0;
  };
  const text = format.replace(DIRECTIVE, (...match) => {
    const groups = match.at(-1) as Readonly<Record<string, string | undefined>>;
    const { flags = '', length = '', conversion = '', more = '' } = groups;
    if (conversion === '%') return `%${more}`;
    const width = number(groups['width']) ?? 0;
    const precision = number(groups['precision']);
    const value = take();
    if (value === undefined) return `?${more}`;
    if (conversion === 'p') {
      if (value instanceof Uint8Array && more.startsWith('b')) {
        // The width is how many bits there are.
        const bytes = [...value].slice(0, width > 0 ? Math.ceil(width / 8) : undefined);
        const isList = more.startsWith('bl');
        return (isList ? bitList(bytes) : bitText(bytes)) + more.slice(isList ? 2 : 1);
      }
      const kind = POINTER.exec(more)?.[0] ?? '';
      return padded(pointer(kind, value, names), width, flags) + more.slice(kind.length);
    }
    const shown =
      conversion === 's' ? string(value, precision, names) : numeric(conversion, value, length, flags, precision);
    if (shown === undefined) isWrong = true;
    return padded(shown ?? '', width, precision === undefined ? flags : flags.replace('0', '')) + more;
  });
  return isWrong ? undefined : text;
}

function padded(text: string, width: number, flags: string): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0')) return text.padStart(width);
  const sign = /^(?:[-+ ]|0[xX])/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

function string(value: EventValue, precision: number | undefined, names: PrintNames): string {
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'bigint'
        ? (names.text(BigInt.asUintN(64, value)) ?? hex(value))
        : listed(value);
  return precision === undefined || precision < 0 ? text : text.slice(0, precision);
}

function numeric(
  conversion: string,
  value: EventValue,
  length: string,
  flags: string,
  precision: number | undefined,
): string | undefined {
  if (typeof value !== 'bigint') return undefined;
  if (conversion === 'c') return String.fromCharCode(Number(BigInt.asUintN(8, value)));
  const bits = length === 'hh' ? 8 : length === 'h' ? 16 : length === '' ? 32 : 64;
  if (conversion === 'd' || conversion === 'i') {
    const signed = BigInt.asIntN(bits, value);
    const digits = (signed < 0n ? -signed : signed).toString().padStart(precision ?? 0, '0');
    return `${signed < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''}${digits}`;
  }
  const unsigned = BigInt.asUintN(bits, value);
  const radix = conversion === 'o' ? 8 : conversion === 'u' ? 10 : 16;
  const digits = unsigned.toString(radix).padStart(precision ?? 0, '0');
  const isMarked = flags.includes('#') && unsigned !== 0n;
  const marked = `${isMarked ? (radix === 16 ? '0x' : radix === 8 ? '0' : '') : ''}${digits}`;
  return conversion === 'X' ? marked.toUpperCase() : marked;
}

function pointer(kind: string, value: EventValue, names: PrintNames): string {
  if (value instanceof Uint8Array) {
    const bytes = [...value];
    if (/^[mM]/.test(kind))
      return bytes
        .slice(0, 6)
        .map(pair)
        .join(kind.startsWith('m') ? '' : ':');
    return /^[iI]4/.test(kind) ? bytes.slice(0, 4).join('.') : bytes.map(pair).join('');
  }
  if (typeof value !== 'bigint') return typeof value === 'string' ? value : listed(value);
  const address = BigInt.asUintN(64, value);
  if (kind === 'e' && address >= ERROR_FIRST) return BigInt.asIntN(64, value).toString();
  return (/^[sSBfF]/.test(kind) ? names.symbol(address) : undefined) ?? hex(address);
}

function pair(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** A bitmap as one number in hex. */
function bitText(bytes: readonly number[]): string {
  return [...bytes]
    .reverse()
    .map(pair)
    .join('')
    .replace(/^0+(?=.)/, '');
}

/** Numbers of the bits that are set, neighbours joined: "0-3,7". */
function bitList(bytes: readonly number[]): string {
  const set: number[] = [];
  for (const [i, byte] of bytes.entries())
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) set.push(i * 8 + bit);
  const ranges: [number, number][] = [];
  for (const bit of set) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === bit - 1) last[1] = bit;
    else ranges.push([bit, bit]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** A value without a format. */
export function listed(value: EventValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return [...value].map(pair).join(' ');
  return `{${value.map(hex).join(',')}}`;
}

function hex(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}
