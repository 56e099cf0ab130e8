/**
 * Writes BTF record by record, sound or not: what a decoder must read, and what it must refuse. Tests that only need
 * types take `btf` of btf-builder.ts.
 */
import { BTF_KIND } from '../../src/core/formats/btf-kind.ts';
import { encodeText } from '../../src/core/memory/text.ts';

export interface BtfRecordText {
  readonly kind: number;
  readonly name?: string;
  readonly vlen?: number;
  readonly flag?: boolean;
  /** The size, or the id of the type referred to. */
  readonly size?: number;
  /** Words after the first three; a string is replaced by its offset. */
  readonly words?: readonly (number | string)[];
}

/** What a split blob continues. */
export interface BtfBase {
  readonly endId: number;
  readonly stringsLength: number;
}

export interface BtfBytesOptions {
  /** Words of the record layout section, for kinds of a later time: [fixed length, element length] by kind. */
  readonly layout?: readonly (readonly [number, number])[];
  readonly magic?: number;
  readonly version?: number;
}

export class BtfWriter {
  readonly #base: BtfBase | undefined;
  readonly #records: (BtfRecordText | undefined)[] = [];
  readonly #strings: number[] = [];
  readonly #offsets = new Map<string, number>();

  constructor(base?: BtfBase) {
    this.#base = base;
    if (base === undefined) this.#strings.push(0);
  }

  get endId(): number {
    return (this.#base?.endId ?? 1) + this.#records.length;
  }

  get stringsLength(): number {
    return (this.#base?.stringsLength ?? 0) + this.#strings.length;
  }

  /** Keeps an id for a record that is written later: what refers to it may come first. */
  reserve(): number {
    this.#records.push(undefined);
    return this.endId - 1;
  }

  fill(id: number, record: BtfRecordText): void {
    this.#records[id - (this.#base?.endId ?? 1)] = record;
  }

  add(record: BtfRecordText): number {
    const id = this.reserve();
    this.fill(id, record);
    return id;
  }

  /** The ids that were reserved and never written. */
  unfilled(): readonly number[] {
    const first = this.#base?.endId ?? 1;
    return this.#records.flatMap((record, i) => (record === undefined ? [first + i] : []));
  }

  int(
    name: string,
    size: number,
    options: { signed?: boolean; bool?: boolean; bits?: number; shift?: number } = {},
  ): number {
    const encoding = (options.signed === true ? 1 : 0) | (options.bool === true ? 4 : 0);
    const word = (encoding << 24) | ((options.shift ?? 0) << 16) | (options.bits ?? size * 8);
    return this.add({ kind: BTF_KIND.int, name, size, words: [word] });
  }

  pointer(target: number): number {
    return this.add({ kind: BTF_KIND.pointer, size: target });
  }

  /** A record that only refers to another: typedef, const, volatile, restrict, type tag, function. */
  refer(kind: number, target: number, name = ''): number {
    return this.add({ kind, size: target, name });
  }

  array(element: number, count: number, index = element): number {
    return this.add({ kind: BTF_KIND.array, words: [element, index, count] });
  }

  /** Members are [name, type, bit offset]; with `flag` the offset holds the bitfield's width in its top 8 bits. */
  compound(
    kind: 'struct' | 'union',
    name: string,
    size: number,
    members: readonly (readonly [string, number, number])[],
    flag = false,
  ): number {
    return this.add({ kind: BTF_KIND[kind], name, size, vlen: members.length, flag, words: members.flat() });
  }

  prototype(returns: number, parameters: readonly (readonly [string, number])[]): number {
    return this.add({ kind: BTF_KIND.funcProto, size: returns, vlen: parameters.length, words: parameters.flat() });
  }

  bytes(options: BtfBytesOptions = {}): Uint8Array {
    const types = this.#records.flatMap((record) => this.#words(record ?? { kind: 0 }));
    const layout = (options.layout ?? []).map(([fixed, element]) => fixed | (element << 8));
    const strings = Uint8Array.from(this.#strings);
    const hasLayout = options.layout !== undefined;
    const headerLength = hasLayout ? 32 : 24;
    const words = [...types, ...layout];
    const bytes = new Uint8Array(headerLength + words.length * 4 + strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, options.magic ?? 0xeb9f, true);
    view.setUint8(2, options.version ?? 1);
    const header = [headerLength, 0, types.length * 4, words.length * 4, strings.length];
    if (hasLayout) header.push(types.length * 4, layout.length * 4);
    for (const [i, word] of header.entries()) view.setUint32(4 + i * 4, word, true);
    for (const [i, word] of words.entries()) view.setUint32(headerLength + i * 4, word >>> 0, true);
    bytes.set(strings, headerLength + words.length * 4);
    return bytes;
  }

  #words(record: BtfRecordText): number[] {
    const info = ((record.flag === true ? 0x8000_0000 : 0) | (record.kind << 24) | (record.vlen ?? 0)) >>> 0;
    const rest = (record.words ?? []).map((word) => (typeof word === 'string' ? this.string(word) : word));
    return [this.string(record.name ?? ''), info, record.size ?? 0, ...rest];
  }

  /** The offset of a string in the blob's strings; the base's are not searched, as the kernel's own tools would. */
  string(text: string): number {
    if (text === '') return 0;
    let offset = this.#offsets.get(text);
    if (offset === undefined) {
      offset = this.stringsLength;
      this.#offsets.set(text, offset);
      this.#strings.push(...encodeText(text), 0);
    }
    return offset;
  }
}
