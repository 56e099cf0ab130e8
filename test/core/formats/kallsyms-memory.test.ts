import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import type { AddressEncoding } from '../../../src/core/formats/kallsyms-addresses.ts';
import { columnName } from '../../../src/core/formats/kallsyms-columns.ts';
import { kallsymsLocations, readKallsyms } from '../../../src/core/formats/kallsyms-memory.ts';
import { parseVmcoreinfo } from '../../../src/core/formats/vmcoreinfo.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { type KallsymsImage, kallsymsImage, type TestSymbol } from '../../support/kallsyms-builder.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const KERNEL: readonly TestSymbol[] = [
  { address: 0xffffffff81000000n, type: 'T', name: '_stext' },
  { address: 0xffffffff81000000n, type: 'T', name: '_text' },
  { address: 0xffffffff810f6390n, type: 'T', name: 'schedule' },
  { address: 0xffffffff810f7000n, type: 't', name: 'mutex_lock_slowpath' },
  { address: 0xffffffff81c00000n, type: 'T', name: '_etext' },
  { address: 0xffffffff82a00000n, type: 'D', name: 'init_task' },
  { address: 0xffffffff83f00000n, type: 'b', name: `_RNv${'x9'.repeat(120)}` },
];
const PER_CPU: readonly TestSymbol[] = [
  { address: 0n, type: 'A', name: 'fixed_percpu_data' },
  { address: 0x1f380n, type: 'A', name: 'runqueues' },
];
const ENCODINGS: readonly AddressEncoding[] = ['absolute', 'base-relative', 'absolute-percpu', 'place-relative'];

function read(image: KallsymsImage, locations = image.locations) {
  const { columns, encoding } = readKallsyms(image.read, locations);
  const symbols = Array.from({ length: columns.count }, (_, i) => ({
    address: columns.addresses[i],
    type: String.fromCharCode(columns.types[i] as number),
    name: columnName(columns, i),
  }));
  return { symbols, encoding, skipped: columns.skipped };
}

describe.each(ENCODINGS)('in-memory kallsyms, %s', (encoding) => {
  const symbols = encoding === 'absolute' || encoding === 'absolute-percpu' ? [...PER_CPU, ...KERNEL] : KERNEL;

  it.each(['since-6.4', 'before-6.4'] as const)('reads back what was encoded, in the layout %s', (layout) => {
    const image = kallsymsImage(symbols, { encoding, layout });
    expect(read(image)).toEqual({ symbols, encoding, skipped: 0 });
  });

  it('is located by VMCOREINFO', () => {
    const image = kallsymsImage(symbols, { encoding });
    const locations = kallsymsLocations(parseVmcoreinfo(encodeText(image.vmcoreinfo)));
    expect(locations).toEqual(image.locations);
  });

  it('reads each table once', () => {
    const image = kallsymsImage(symbols, { encoding });
    readKallsyms(image.read, image.locations);
    const tables = image.reads.map((done) => done.what);
    expect(new Set(tables).size).toBe(tables.length);
    expect(tables.length).toBeLessThanOrEqual(6);
  });

  it('refuses tables that put _stext elsewhere', () => {
    const image = kallsymsImage(symbols, { encoding });
    const elsewhere = { ...image.locations, stext: image.locations.stext + 0x1000n };
    expect(() => readKallsyms(image.read, elsewhere)).toThrow(
      /puts _stext at .*ffffffff81000000 .*it is at ffffffff81001000/,
    );
  });

  it('survives 10,000 damaged images: symbols or a clear error, in bounded memory', () => {
    const image = kallsymsImage(symbols, { encoding });
    const random = seededRandom(ENCODINGS.indexOf(encoding) + 1);
    let refused = 0;
    for (let i = 0; i < 10_000; i++) {
      const bytes = mutate(image.bytes, random);
      const readDamaged = (address: bigint, length: number) => {
        const from = Number(address - image.base);
        if (from < 0 || from + length > bytes.length) throw new DataError('not mapped');
        return bytes.slice(from, from + length);
      };
      try {
        const { columns } = readKallsyms(readDamaged, image.locations);
        expect(columns.count + columns.skipped).toBeLessThanOrEqual(bytes.length);
        for (let k = 0; k < columns.count; k++) expect(columnName(columns, k)).toMatch(/^[!-~]+$/);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

describe('in-memory kallsyms', () => {
  it('tells base-relative from absolute-percpu by _stext', () => {
    for (const encoding of ['base-relative', 'absolute-percpu'] as const) {
      const image = kallsymsImage(KERNEL, { encoding });
      expect(readKallsyms(image.read, image.locations).encoding).toBe(encoding);
    }
  });

  it('skips a name that no symbol can have and keeps the others in step with their addresses', () => {
    const odd: TestSymbol = { address: 0xffffffff81200000n, type: 'T', name: 'odd' };
    const image = kallsymsImage([...KERNEL.slice(0, 4), odd, ...KERNEL.slice(4)], { encoding: 'base-relative' });
    const at = image.bytes.findIndex((_, i) => String.fromCharCode(...image.bytes.subarray(i, i + 5)) === '\u0004Todd');
    image.bytes[at + 2] = 0xf0;
    expect(read(image)).toEqual({
      symbols: [...KERNEL.slice(0, 4), { ...odd, name: 'dd' }, ...KERNEL.slice(4)],
      encoding: 'base-relative',
      skipped: 0,
    });
    image.bytes[at + 1] = 0x21;
    expect(read(image)).toEqual({ symbols: KERNEL, encoding: 'base-relative', skipped: 1 });
  });

  it('grows its guess when no table follows the names', () => {
    const image = kallsymsImage(KERNEL, { encoding: 'base-relative' });
    const length = Number(image.locations.tokenTable - image.locations.names);
    const names = image.read(image.locations.names, length, 'test');
    const apart = 0xffff_8880_0000_0000n;
    const padded = new Uint8Array(8192);
    padded.set(names);
    const far = { ...image.locations, names: apart + 0x1_0000_0000n };
    const { columns } = readKallsyms((address, wanted, what) => {
      if (what !== 'kallsyms_names') return image.read(address, wanted, what);
      return padded.subarray(0, wanted);
    }, far);
    expect(columns.count).toBe(KERNEL.length);
  });

  it.each([0, 0xffffffff])('refuses %i symbols', (count) => {
    const image = kallsymsImage(KERNEL, { encoding: 'base-relative' });
    new DataView(image.bytes.buffer).setUint32(Number(image.locations.numSyms - image.base), count, true);
    expect(() => readKallsyms(image.read, image.locations)).toThrow(DataError);
  });
});
