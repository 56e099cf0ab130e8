/** Text in memory: what is found, what is left alone, and that the same word gets the same pseudonym everywhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemoryLayout, MemoryText } from '../../../../src/backends/recording/redact/memory-text.ts';
import { Pseudonyms } from '../../../../src/backends/recording/redact/pseudonyms.ts';
import type { Vocabulary } from '../../../../src/backends/recording/redact/vocabulary.ts';
import { Redactor } from '../../../../src/backends/recording/redact/words.ts';

const VOCABULARY: Vocabulary = {
  names: new Set(['task_struct', 'mutex_lock', 'kmalloc']),
  words: new Set(['task', 'struct', 'mutex', 'lock', 'blocked', 'for', 'seconds']),
  typed: new Set(['ps', 'task_struct']),
  secrets: new Set(['brunhilde', 'sh', 'mutex']),
  isPartOfSymbol: () => false,
};
const LAYOUT: MemoryLayout = {
  image: [{ start: 0xffffffff81000000n, end: 0xffffffff81000800n }],
  log: [{ start: 0xffff888000010000n, end: 0xffff888000011000n }],
  places: new Map([[0xffff888000020n, [{ address: 0xffff888000020010n, length: 16, kind: 'task names' as const }]]]),
  dentry: { pointer: 0x28, name: 0x38, size: 40 },
};
const NOTHING = new Uint8Array();

function memory(): { readonly text: MemoryText; readonly redactor: Redactor } {
  const pseudonyms = new Pseudonyms((word) => VOCABULARY.names.has(word), Buffer.alloc(32, 7));
  pseudonyms.begin();
  const redactor = new Redactor(VOCABULARY, pseudonyms);
  return { text: new MemoryText(LAYOUT, redactor), redactor };
}

function page(at: number, text: string | Buffer): Buffer {
  const bytes = Buffer.alloc(4096);
  Buffer.from(text).copy(bytes, at);
  return bytes;
}

function redacted(bytes: Uint8Array, address: bigint, before = NOTHING, behind = NOTHING): Buffer {
  return Buffer.from(memory().text.redact(bytes, address, before, behind, () => undefined));
}

const ADDRESS = 0xffff888000040000n;

describe('text in memory', () => {
  it('is replaced from eight characters on, whatever it says', () => {
    const fresh = redacted(page(100, 'quarterly-report.ods\0'), ADDRESS).toString('latin1', 100, 121);
    expect(fresh).toMatch(/^[a-z]{9}-[a-z]{6}\.[a-z]{3}\0$/);
    expect(fresh).not.toMatch(/quarterly|report|ods/);
  });

  it('is replaced below that where it is a word that names somebody', () => {
    expect(redacted(page(100, 'sh\0'), ADDRESS).toString('latin1', 100, 102)).toBe('sh');
    const { text, redactor } = memory();
    redactor.pseudonyms.of('acme');
    const fresh = Buffer.from(text.redact(page(100, '\x01acme\0'), ADDRESS, NOTHING, NOTHING, () => undefined));
    expect(fresh.toString('latin1', 101, 105)).not.toBe('acme');
  });

  it('is replaced from four on where it is a string in small letters, and no number is', () => {
    const fresh = redacted(page(100, 'p.tar\0\0\0TUUU\0kmalloc\0'), ADDRESS).toString('latin1', 100, 121);
    expect(fresh).toMatch(/^[a-z]\.[a-z]{3}\0\0\0TUUU\0kmalloc\0$/);
    expect(fresh).not.toMatch(/tar/);
  });

  it('is left alone where it is a name of the kernel, and in the kernel itself', () => {
    expect(redacted(page(100, 'task_struct\0'), ADDRESS).toString('latin1', 100, 111)).toBe('task_struct');
    expect(redacted(page(100, 'kworker/0:1H-foo\0'), ADDRESS).toString('latin1', 100, 116)).toBe('kworker/0:1H-foo');
    const image = page(0x7f0, 'somebody was here, and here');
    const fresh = redacted(image, 0xffffffff81000000n).toString('latin1', 0x7f0, 0x80b);
    expect(fresh.slice(0, 16)).toBe('somebody was her');
    expect(fresh.slice(16)).not.toBe('e, and here');
  });

  it('keeps kernel pointers, whose low bytes may be letters', () => {
    const bytes = page(96, Buffer.concat([Buffer.from('ABCDEFGHabcd'), Buffer.alloc(4)]));
    bytes.writeBigUInt64LE(0xffff888061626364n, 104);
    expect(redacted(bytes, ADDRESS).readBigUInt64LE(104)).toBe(0xffff888061626364n);
    expect(redacted(bytes, ADDRESS).toString('latin1', 96, 104)).not.toBe('ABCDEFGH');
  });

  it('is seen across the border of two pages, and gets one pseudonym', () => {
    const first = page(4091, 'zarat');
    const second = page(0, 'hustra\0');
    const { text, redactor } = memory();
    const one = Buffer.from(text.redact(first, ADDRESS, NOTHING, second.subarray(0, 256), () => undefined));
    const two = Buffer.from(text.redact(second, ADDRESS + 4096n, first.subarray(-256), NOTHING, () => undefined));
    expect(one.toString('latin1', 4091) + two.toString('latin1', 0, 6)).toBe(redactor.pseudonyms.of('zarathustra'));
  });

  it('in the log keeps the words of the kernel, and no path', () => {
    const line = 'task brunhilde:12 blocked for 120 seconds on mutex at /home/kowalski/x';
    const fresh = redacted(page(8, line), 0xffff888000010000n).toString('latin1', 8, 8 + line.length);
    expect(fresh).toMatch(/^task [a-z]{9}:12 blocked for 120 seconds on [a-z]{5} at \/[a-z]{4}\/[a-z]{8}\/[a-z]$/);
    expect(fresh).not.toMatch(/brunhilde|on mutex|home|kowalski/);
  });

  it('of two letters is replaced where the kernel says that it is a name', () => {
    const fresh = redacted(page(0x10, 'sh\0'), 0xffff888000020000n).toString('latin1', 0x10, 0x13);
    expect(fresh).toMatch(/^[a-z]{2}\0$/);
    expect(fresh).not.toBe('sh\0');
  });

  it('in a dentry is replaced be it ever so short', () => {
    const dentry = page(0, '');
    dentry.writeUInt32LE(2, 0x100 + 0x24);
    dentry.writeBigUInt64LE(ADDRESS + 0x138n, 0x100 + 0x28);
    dentry.write('ab\0', 0x138, 'latin1');
    expect(redacted(dentry, ADDRESS).toString('latin1', 0x138, 0x13b)).toMatch(/^(?!ab)[a-z]{2}\0$/);
    // Whose length is another has not this form.
    dentry.writeUInt32LE(3, 0x100 + 0x24);
    expect(redacted(dentry, ADDRESS).toString('latin1', 0x138, 0x13b)).toBe('ab\0');
  });

  it('is found in any bytes, in the same length, twice alike', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ maxLength: 300 }), (bytes, around) => {
        const { text } = memory();
        const once = text.redact(bytes, ADDRESS, around, around, () => undefined);
        const again = text.redact(bytes, ADDRESS, around, around, () => undefined);
        expect(once).toHaveLength(bytes.length);
        expect(Buffer.from(again).equals(Buffer.from(once))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
