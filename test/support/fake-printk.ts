/** A printk ring buffer as the kernel writes it: records are added until old ones are overwritten. */
import { encodeText } from '../../src/core/memory/text.ts';
import { sizeOf } from '../../src/core/types/type.ts';
import type { FakeKernel } from './fake-kernel.ts';

export const PRINTK_TYPES = `
  typedef struct { long counter; } atomic_long_t;
  struct dev_printk_info { char subsystem[16]; char device[48]; };
  struct printk_info {
    unsigned long seq, ts_nsec;
    unsigned short text_len;
    unsigned char facility;
    unsigned char flags : 5, level : 3;
    unsigned int caller_id;
    struct dev_printk_info dev_info;
  };
  struct prb_data_blk_lpos { unsigned long begin, next; };
  struct prb_desc { atomic_long_t state_var; struct prb_data_blk_lpos text_blk_lpos; };
  struct prb_data_ring { unsigned int size_bits; char *data; atomic_long_t head_lpos, tail_lpos; };
  struct prb_desc_ring {
    unsigned int count_bits;
    struct prb_desc *descs;
    struct printk_info *infos;
    atomic_long_t head_id, tail_id;
  };
  struct printk_ringbuffer { struct prb_desc_ring desc_ring; struct prb_data_ring text_data_ring; atomic_long_t fail; };
`;

/** Since CONFIG_PRINTK_EXECUTION_CTX (v7.0). */
const WITH_CONTEXT = PRINTK_TYPES.replace(
  'unsigned int caller_id;',
  'unsigned int caller_id, caller_id2; char comm[16];',
);

export interface PlantedRecord {
  readonly text: string;
  readonly level?: number;
  readonly facility?: number;
  readonly caller?: number;
  /** Only with `context`. */
  readonly comm?: string;
  readonly time?: bigint;
  readonly subsystem?: string;
  readonly device?: string;
  /** 1 committed, 2 finalized (as usual), 0 being written, 3 reusable. */
  readonly state?: number;
  /** There was no room for the text. */
  readonly failed?: boolean;
}

export class FakePrintk {
  readonly fake: FakeKernel;
  readonly ring: bigint;
  readonly descs: bigint;
  readonly infos: bigint;
  readonly data: bigint;
  readonly #count: number;
  readonly #size: number;
  #id: bigint;
  #tail: bigint;
  #lpos: bigint;
  #sequence = 0n;

  constructor(
    fake: FakeKernel,
    options: { readonly countBits?: number; readonly sizeBits?: number; readonly context?: boolean } = {},
  ) {
    fake.c(options.context === true ? WITH_CONTEXT : PRINTK_TYPES);
    this.fake = fake;
    this.#count = 1 << (options.countBits ?? 5);
    this.#size = 1 << (options.sizeBits ?? 10);
    this.descs = fake.allocate(this.#count * 24);
    this.infos = fake.allocate(this.#count * sizeOf(fake.type('printk_info')));
    this.data = fake.allocate(this.#size);
    // The kernel starts the first id and position just before a wrap.
    this.#id = (1n << 62n) - BigInt(this.#count);
    this.#tail = this.#id;
    this.#lpos = -BigInt(this.#size) & ((1n << 64n) - 1n);
    this.ring = fake.place(fake.type('printk_ringbuffer'), {
      'desc_ring.count_bits': options.countBits ?? 5,
      'desc_ring.descs': this.descs,
      'desc_ring.infos': this.infos,
      'text_data_ring.size_bits': options.sizeBits ?? 10,
      'text_data_ring.data': this.data,
    });
    fake.memory.u64(fake.allocate(8), this.ring);
    const pointer = fake.allocate(8);
    fake.memory.u64(pointer, this.ring);
    fake.symbols.add('prb', pointer);
  }

  /** As printk() does. */
  add(record: PlantedRecord): void {
    const { fake } = this;
    const text = encodeText(record.text);
    const place = Number(this.#id % BigInt(this.#count));
    const [begin, next] = record.failed === true ? [1n, 1n] : text.length === 0 ? [3n, 3n] : this.#block(text);
    const desc = this.descs + BigInt(place * sizeOf(fake.type('prb_desc')));
    fake.place(
      fake.type('prb_desc'),
      {
        'state_var.counter': (BigInt(record.state ?? 2) << 62n) | this.#id,
        'text_blk_lpos.begin': begin,
        'text_blk_lpos.next': next,
      },
      desc,
    );
    const info = this.infos + BigInt(place * sizeOf(fake.type('printk_info')));
    fake.place(
      fake.type('printk_info'),
      {
        seq: this.#sequence,
        ts_nsec: record.time ?? this.#sequence * 1000n,
        text_len: text.length,
        facility: record.facility ?? 0,
        caller_id: record.caller ?? 1,
        ...(record.comm === undefined ? {} : { comm: record.comm }),
        'dev_info.subsystem': record.subsystem ?? '',
        'dev_info.device': record.device ?? '',
      },
      info,
    );
    fake.memory.writeInteger(info + 19n, 1, BigInt((record.level ?? 6) << 5));
    fake.set(fake.type('printk_ringbuffer'), this.ring, 'desc_ring.head_id.counter', this.#id);
    if (Number((this.#id - this.#tail) & ((1n << 62n) - 1n)) >= this.#count) this.#tail = this.#next(this.#tail);
    fake.set(fake.type('printk_ringbuffer'), this.ring, 'desc_ring.tail_id.counter', this.#tail);
    this.#id = this.#next(this.#id);
    this.#sequence++;
  }

  #next(id: bigint): bigint {
    return (id + 1n) & ((1n << 62n) - 1n);
  }

  /** Writes a block and gives its begin and next positions; one that does not fit before the end lies at the start. */
  #block(text: Uint8Array): [bigint, bigint] {
    const size = BigInt(this.#size);
    const wrap = (position: bigint) => position & ((1n << 64n) - 1n);
    const length = BigInt(8 + Math.ceil(text.length / 8) * 8);
    const begin = this.#lpos;
    const wraps = (begin % size) + length > size;
    const next = wrap(wraps ? begin - (begin % size) + size + length : begin + length);
    const at = this.data + (wraps ? 0n : begin % size);
    this.fake.memory.u64(at, this.#id);
    this.fake.memory.write(at + 8n, text);
    this.#lpos = next;
    return [begin, next];
  }
}
