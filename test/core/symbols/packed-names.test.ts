/** Names in memory that threads share. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameAt, packNames, shared, unpackNames } from '../../../src/core/symbols/packed-names.ts';

describe('packed names', () => {
  it('are the names again, whatever characters they have', () => {
    const name = fc.oneof(fc.stringMatching(/^[a-z_.0-9]{0,12}$/), fc.string({ unit: 'grapheme', maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const packed = packNames(names);
        expect(packed.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
        expect(unpackNames(packed)).toEqual(names);
        for (const [i, each] of names.entries()) expect(nameAt(packed, i)).toBe(each);
      }),
    );
  });

  it('share arrays of numbers too', () => {
    const copy = shared(BigUint64Array.of(1n, 2n));
    expect([...copy]).toEqual([1n, 2n]);
    expect(copy.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
