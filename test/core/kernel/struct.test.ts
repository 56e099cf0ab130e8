import { describe, expect, it } from 'vitest';
import { DataError, FaultError, NotFoundError } from '../../../src/core/errors.ts';
import { bytes, chars, defineStruct, embedded, int, long, optional, pointer } from '../../../src/core/kernel/struct.ts';
import { FakeKernel } from '../../support/fake-kernel.ts';

const Thing = defineStruct('thing', {
  number: int('number'),
  small: int('small'),
  wide: long('wide'),
  atomic: int('count'),
  low: int('low'),
  high: int('high'),
  next: pointer('next'),
  name: chars('name'),
  raw: bytes('raw'),
  link: embedded('link'),
  renamed: int('new_name', 'old_name'),
  absent: optional(int('absent')),
  nested: int('inner.value'),
  farAway: long('far_away'),
});

function planted(values: Parameters<FakeKernel['place']>[1] = {}) {
  const fake = new FakeKernel();
  fake.c(`
    struct list_head { struct list_head *next, *prev; };
    struct thing {
      int number; signed char small; unsigned long wide;
      struct { int counter; } count;
      int low : 3, high : 13;
      struct thing *next;
      char name[8]; unsigned char raw[3];
      struct list_head link;
      int old_name;
      struct { long pad; int value; } inner;
      char gap[5000];
      long far_away;
    };
  `);
  const address = fake.place(fake.type('thing'), values);
  return { fake, address };
}

describe('a declared structure', () => {
  it('reads each kind of field', () => {
    const { fake, address } = planted({
      number: -5,
      small: -1,
      wide: (1n << 63n) + 5n,
      'count.counter': 7,
      next: 0xffff_8880_0000_1000n,
      name: 'kworker!',
      raw: Uint8Array.of(1, 2, 3),
      old_name: 9,
      'inner.value': 11,
      far_away: -2n,
    });
    const thing = fake.kernel().struct(Thing).at(address);
    expect(thing).toMatchObject({ address, number: -5, small: -1, atomic: 7, renamed: 9, nested: 11, farAway: -2n });
    expect([thing.wide, thing.next, thing.name]).toEqual([(1n << 63n) + 5n, 0xffff_8880_0000_1000n, 'kworker!']);
    expect([...thing.raw]).toEqual([1, 2, 3]);
    expect(thing.absent).toBeUndefined();
    expect(thing.link).toBe(address + BigInt(fake.kernel().struct(Thing).offset('link') ?? 0));
  });

  it('shifts bitfields out and keeps their sign', () => {
    const { fake, address } = planted();
    const struct = fake.kernel().struct(Thing);
    fake.memory.writeInteger(address + BigInt(struct.offset('low') as number), 4, 0b1_0000_0000_0001_101n);
    expect(struct.at(address)).toMatchObject({ low: -3, high: -4095 });
  });

  it('says what it has', () => {
    const struct = planted().fake.kernel().struct(Thing);
    expect([struct.has('absent'), struct.has('renamed'), struct.offset('absent'), struct.offset('number')]).toEqual([
      ...[false, true, undefined, 0],
    ]);
  });

  it('names the field in a fault', () => {
    const { fake, address } = planted();
    fake.memory.fault(address, 'excluded');
    const thing = fake.kernel().struct(Thing).at(address);
    expect(() => thing.name).toThrow(FaultError);
    expect(() => thing.name).toThrow('cannot read thing.name (8 bytes');
    expect(() => thing.nested).toThrow('cannot read thing.inner.value (4 bytes');
  });

  it('refuses a number that is too large for one', () => {
    const { fake, address } = planted({ wide: 1n << 62n });
    const Wide = defineStruct('thing', { wide: int('wide') });
    expect(() => fake.kernel().struct(Wide).at(address).wide).toThrow(DataError);
  });

  it('fails once, and clearly, on a kernel without it or without a member', () => {
    const kernel = planted().fake.kernel();
    expect(() => kernel.struct(defineStruct('nothing', { x: int('x') }))).toThrow('no type "struct nothing"');
    expect(() => kernel.struct(defineStruct('thing', { x: int('newest', 'oldest') }))).toThrow(NotFoundError);
    expect(() => kernel.struct(defineStruct('thing', { x: int('newest', 'oldest') }))).toThrow(
      'no member "newest" or "oldest" in struct thing',
    );
  });

  it('is brought in without the pages between its fields', () => {
    const { fake } = planted();
    const address = fake.allocate(8192, { page: true });
    const kernel = fake.kernel();
    kernel.struct(Thing).prefetch([address]);
    expect(kernel.memory.requests).toBe(1);
    expect(fake.memory.reads.flat().map((request) => request.address - address)).toEqual([0n, 4096n]);
    const Near = defineStruct('thing', { number: int('number') });
    kernel.struct(Near).prefetch([address + 4096n * 8n, address]);
    expect(fake.memory.reads.flat()).toHaveLength(3);
  });
});
