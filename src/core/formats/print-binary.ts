/**
 * The arguments of trace_printk() as they are in the ring buffer: written one after the other by vbin_printf() and
 * meant to be read by bstr_printf() with the same format (lib/vsprintf.c). Numbers narrower than an int are aligned to
 * their size and all others to 4 bytes; strings are there whole, and so is the text of what a pointer was followed for.
 */
import { decodeCString } from '../memory/text.ts';
import { DIRECTIVE, type PrintNames, printText } from './print-text.ts';

/** What bytes each `%d` takes. `%c` takes one. */
const LENGTHS: Readonly<Record<string, number>> = { hh: 1, h: 2, '': 4 };
const WORD = 8;
/**
 * After %p, what is printed of the pointer itself: it was kept. All else that letters ask for was made into text, since
 * what a pointer leads to changes. `e`: 57f5677e535b "printf: add support for printing symbolic error names" (v5.5).
 */
const KEPT_POINTER = /^[sSxKe]/;

/** What trace_printk() prints at most (kernel/trace/trace.c, TRACE_BUF_SIZE). */
const FORMAT_MAX = 1024;

/** The text; arguments that are not there, for the record was cut, are question marks. */
export function printBinary(format: string, bytes: Uint8Array, isLittle: boolean, names: PrintNames): string {
  const args = new BinaryArguments(bytes, isLittle);
  return format.slice(0, FORMAT_MAX).replace(DIRECTIVE, (...match) => {
    const [directive] = match as [string];
    const groups = match.at(-1) as Readonly<Record<string, string | undefined>>;
    const { flags = '', width = '', precision, length = '', conversion = '', more = '' } = groups;
    const stars = [width, precision].filter((each) => each === '*').map(() => args.integer(4));
    const shown = (text: string, value: bigint | string | undefined): string =>
      printText(text, [...stars, value], names) ?? '?';
    switch (conversion) {
      case '%':
        return `%${more}`;
      case 's':
        return shown(directive, args.string());
      case 'p':
        // As wide as it is to be.
        if (more !== '' && !KEPT_POINTER.test(more)) return args.string() ?? '?';
        // The kernel takes all letters that follow for its own.
        return shown(`%${flags}${width}p${more.slice(0, 1)}`, args.integer(WORD));
      case 'c':
        return shown(directive, args.integer(1));
      default:
        return shown(directive, args.integer(LENGTHS[length] ?? WORD));
    }
  });
}

class BinaryArguments {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLittle: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, isLittle: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#isLittle = isLittle;
  }

  /** Without its sign. */
  integer(size: number): bigint | undefined {
    const align = Math.min(size, 4);
    const at = Math.ceil(this.#at / align) * align;
    this.#at = at + size;
    if (this.#at > this.#bytes.length) return undefined;
    if (size === 1) return BigInt(this.#view.getUint8(at));
    if (size === 2) return BigInt(this.#view.getUint16(at, this.#isLittle));
    if (size === 4) return BigInt(this.#view.getUint32(at, this.#isLittle));
    return this.#view.getBigUint64(at, this.#isLittle);
  }

  string(): string | undefined {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) return undefined;
    const text = decodeCString(this.#bytes, this.#at, end);
    this.#at = end + 1;
    return text;
  }
}
