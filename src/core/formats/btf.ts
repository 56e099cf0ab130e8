/**
 * BTF, the type information that a kernel carries of itself (/sys/kernel/btf/vmlinux, `__start_BTF`..`__stop_BTF` in
 * memory). A blob is a header, a run of records of varying length, and a string section. A record's id is its place in
 * the run, counted from 1; id 0 is void. One pass finds where each record starts; nothing else is decoded until it is
 * asked for.
 *
 * A module's BTF is split: its ids continue after those of vmlinux, its strings after vmlinux's, and it refers to both.
 * What /sys/kernel/btf/MODULE gives is in this form even where the module was built against a distilled base
 * (8646db238997 "libbpf,bpf: Share BTF relocate-related code with kernel", v6.11): the kernel renumbers it in place
 * when the module is loaded.
 *
 * The blob is not trusted. Records that do not fit or are of an unknown kind end the known types, with a warning: the
 * kinds after them could not be told apart. References are checked when they are followed.
 */
import { DataError } from '../errors.ts';
import { type BtfSection, parseBtfHeader } from './btf-header.ts';
import { BTF_KIND, BTF_RECORD_LENGTH, type BtfRecordLengths, btfRecordLengths } from './btf-kind.ts';
import { BtfNames } from './btf-names.ts';
import { BtfStrings } from './btf-strings.ts';

export class Btf {
  readonly base: Btf | undefined;
  /** What this blob is, in messages: "BTF of nf_tables". */
  readonly what: string;
  readonly firstId: number;
  /** One past the last id. */
  readonly endId: number;
  readonly strings: BtfStrings;
  /** What was found wrong while indexing; empty for a sound blob. */
  readonly warnings: readonly string[];
  /**
   * True when enums say whether they are signed, by kind_flag (6089fb325cf7 "bpf: Add btf enum64 support", v6.0).
   * Before, the flag is never set and every value is a signed 32-bit one.
   */
  readonly enumsAreMarked: boolean;
  readonly lengths: BtfRecordLengths;
  readonly #view: DataView;
  /** Byte offset of each record. */
  readonly #offsets: Uint32Array;
  #names: BtfNames | undefined;

  constructor(bytes: Uint8Array, base: Btf | undefined, what: string) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const header = parseBtfHeader(view, what);
    const index = indexRecords(view, header.types, btfRecordLengths(view, header.layout, base?.lengths), what);
    this.base = base;
    this.what = what;
    this.strings = new BtfStrings(bytes.subarray(header.strings.start, header.strings.end), base?.strings);
    this.firstId = base?.endId ?? 1;
    this.endId = this.firstId + index.offsets.length;
    this.warnings = index.warnings;
    this.enumsAreMarked = index.enumsAreMarked || base?.enumsAreMarked === true;
    this.lengths = index.lengths;
    this.#view = view;
    this.#offsets = index.offsets;
  }

  /** The record of this id, in this blob or its base. Throws DataError for 0 and for an id that does not exist. */
  record(id: number): BtfRecord {
    if (this.base !== undefined && id < this.firstId) return this.base.record(id);
    const at = id < this.firstId ? undefined : this.#offsets[id - this.firstId];
    if (at === undefined) throw new DataError(`${this.what} refers to type ${id}, which does not exist`);
    return new BtfRecord(this.#view, at, id, this);
  }

  /** A record's kind without decoding the rest; 0 for void and for an id that does not exist. */
  kind(id: number): number {
    if (this.base !== undefined && id < this.firstId) return this.base.kind(id);
    const at = id < this.firstId ? undefined : this.#offsets[id - this.firstId];
    return at === undefined ? 0 : this.#view.getUint8(at + 7) & 0x7f;
  }

  /** Ids of this blob's own types, functions and variables with this name, ascending. Indexed on first use. */
  named(name: string): number[] {
    const ids: number[] = [];
    for (const entry of this.names.find(name)) ids.push(this.firstId + entry);
    return ids;
  }

  /** The name index, built on first use. */
  get names(): BtfNames {
    this.#names ??= new BtfNames(
      this.#offsets.length,
      (entry) => this.#view.getUint32(this.#offsets[entry] as number, true),
      this.strings,
    );
    return this.#names;
  }
}

/** One record, read in place. */
export class BtfRecord {
  readonly id: number;
  readonly kind: number;
  /** Count of the elements that follow. */
  readonly vlen: number;
  readonly flag: boolean;
  readonly #view: DataView;
  readonly #at: number;
  readonly #btf: Btf;

  constructor(view: DataView, at: number, id: number, btf: Btf) {
    const info = view.getUint32(at + 4, true);
    this.id = id;
    this.kind = (info >>> 24) & 0x7f;
    this.vlen = info & 0xffffff;
    this.flag = info >>> 31 === 1;
    this.#view = view;
    this.#at = at;
    this.#btf = btf;
  }

  /** '' for an anonymous one. */
  get name(): string {
    return this.#btf.strings.at(this.#view.getUint32(this.#at, true));
  }

  /** Bytes, for int, enum, struct, union, float and data section records. */
  get size(): number {
    return this.#view.getUint32(this.#at + 8, true);
  }

  /** The id referred to, by the kinds that have no size. */
  get target(): number {
    return this.#view.getUint32(this.#at + 8, true);
  }

  /** The `index`th 32-bit word after the record's first 12 bytes. Within the record: the index pass saw to it. */
  word(index: number): number {
    return this.#view.getUint32(this.#at + BTF_RECORD_LENGTH + index * 4, true);
  }

  /** The name that the word at this index refers to. */
  nameAt(index: number): string {
    return this.#btf.strings.at(this.word(index));
  }
}

interface RecordIndex {
  readonly offsets: Uint32Array;
  readonly lengths: BtfRecordLengths;
  readonly warnings: readonly string[];
  readonly enumsAreMarked: boolean;
}

function indexRecords(view: DataView, types: BtfSection, lengths: BtfRecordLengths, what: string): RecordIndex {
  const { fixed, element } = lengths;
  const offsets = new Uint32Array(Math.floor((types.end - types.start) / BTF_RECORD_LENGTH));
  const warnings: string[] = [];
  let enumsAreMarked = false;
  let count = 0;
  let at = types.start;
  while (at < types.end) {
    if (at + BTF_RECORD_LENGTH > types.end) {
      warnings.push(`${what}: ${types.end - at} bytes after type ${count} are not a record`);
      break;
    }
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x7f;
    if ((fixed[kind] as number) < 0) {
      warnings.push(
        `${what}: record ${count + 1} is of unknown kind ${kind}; it and the records after it are left out`,
      );
      break;
    }
    const next = at + BTF_RECORD_LENGTH + (fixed[kind] as number) + (info & 0xffffff) * (element[kind] as number);
    if (next > types.end) {
      warnings.push(`${what}: record ${count + 1} does not fit; it and the records after it are left out`);
      break;
    }
    if (info >>> 31 === 1 && (kind === BTF_KIND.enum || kind === BTF_KIND.enum64)) enumsAreMarked = true;
    offsets[count++] = at;
    at = next;
  }
  return { offsets: offsets.slice(0, count), lengths, warnings, enumsAreMarked };
}

/**
 * Indexes a BTF blob. For a module's, `base` is vmlinux's. Throws DataError for what is not BTF, UnsupportedError for
 * a big-endian kernel's.
 */
export function parseBtf(bytes: Uint8Array, options: { readonly base?: Btf; readonly name?: string } = {}): Btf {
  return new Btf(bytes, options.base, `BTF of ${options.name ?? 'vmlinux'}`);
}
