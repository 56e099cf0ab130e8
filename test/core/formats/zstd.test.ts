import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { unzstd } from '../../../src/core/formats/zstd.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const hasZstd = spawnSync('zstd', ['--version']).status === 0;

function samples(): readonly Uint8Array[] {
  const random = seededRandom(5);
  const text = Array.from({ length: 30_000 }, () => 'abcdefgh \n'[Math.floor(random() ** 3 * 10)]).join('');
  const noise = Uint8Array.from({ length: 200_000 }, () => Math.floor(random() * 256));
  return [
    Buffer.from(''),
    Buffer.from('a'),
    Buffer.from(text),
    Buffer.from(text.repeat(20)),
    noise,
    new Uint8Array(300_000),
  ];
}

describe.skipIf(!hasZstd)('what zstd packs', () => {
  test.each([1, 3, 19])('at level %d', (level) => {
    for (const sample of samples()) {
      const packed = execFileSync('zstd', ['-q', '-c', `-${level}`], { input: sample, maxBuffer: 1 << 26 });
      expect(Buffer.compare(unzstd(new Uint8Array(packed), sample.length), sample)).toBe(0);
    }
  });

  test('10,000 changes of it end in an error or in bytes', () => {
    const sample = (samples()[2] as Uint8Array).subarray(0, 3000);
    const packed = new Uint8Array(execFileSync('zstd', ['-q', '-c', '-19'], { input: sample }));
    const random = seededRandom(11);
    for (let i = 0; i < 10_000; i++) {
      try {
        expect(unzstd(mutate(packed, random), sample.length)).toHaveLength(sample.length);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }
  });
});
