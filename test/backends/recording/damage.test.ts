import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CHUNK_HEADER_LENGTH,
  CHUNK_RAW_MAX,
  chainOf,
  encodeChunk,
  firstChain,
} from '../../../src/backends/recording/chunk.ts';
import { packContents } from '../../../src/backends/recording/contents.ts';
import { Recorder } from '../../../src/backends/recording/record.ts';
import { openRecording } from '../../../src/backends/recording/replay.ts';
import { verify } from '../../../src/backends/recording/verify.ts';
import { KdbgError } from '../../../src/core/errors.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';
import { FakeBackend, Folder, pageOf, request } from './fake-backend.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const BASE = 0xffff888000001000n;
const COMMANDS = 4;

/** A small recording of which every part is used: four commands, each with a page, a file and output of its own. */
function makeSmall(): Buffer {
  const path = folder.file();
  const inner = new FakeBackend();
  const recorder = new Recorder(inner);
  recorder.start(path, { tool: 'kdbg', compression: 'gzip' });
  for (let i = 1; i <= COMMANDS; i++) {
    recorder.command(`command ${i}`);
    inner.place(BASE, pageOf(i).fill(i, 16));
    inner.texts.set('/proc/uptime', `${i} seconds`);
    recorder.backend.memory?.read([request(BASE), request(BASE + 0x1000n)]);
    recorder.backend.files?.read('/proc/uptime');
    recorder.output([`printed ${i}`]);
    recorder.end(0);
  }
  recorder.stop();
  return readFileSync(path);
}

const PAGES = Array.from({ length: COMMANDS + 1 }, (_, i) => pageOf(i).fill(i, 16));
// Not a Buffer: a slice of one is not a copy.
const small = makeSmall();
const pristine = new Uint8Array(small);
const headerLength = small.indexOf('\n') + 1;
const path = folder.file();

/** Opens these bytes and uses all that is in them; what it says, and how many commands it had. */
function use(bytes: Uint8Array): { readonly commands: number; readonly notices: string } | { readonly error: string } {
  writeFileSync(path, bytes);
  try {
    const recording = openRecording(path);
    try {
      const { commands, notices, backend } = recording;
      for (const { epoch } of commands) {
        recording.seek(epoch);
        const [page] = backend.memory?.read([request(BASE), request(BASE + 0x1000n)]) ?? [];
        const file = backend.files?.read('/proc/uptime');
        // What is there is right: whatever is damaged is not used.
        expect(page instanceof Uint8Array && Buffer.compare(page, PAGES[epoch] as Uint8Array)).toBe(0);
        expect(file?.ok && Buffer.from(file.bytes).toString()).toBe(`${epoch} seconds`);
        expect([[], [`printed ${epoch}`]]).toContainEqual(recording.output(epoch));
      }
      return { commands: commands.length, notices: notices.join('\n') };
    } finally {
      recording.close();
    }
  } catch (error) {
    if (error instanceof KdbgError) return { error: error.message };
    throw error;
  }
}

/** Where each chunk starts. */
function chunkOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = headerLength; at < bytes.length; at += CHUNK_HEADER_LENGTH + bytes.readUInt32LE(at + 8)) {
    offsets.push(at);
  }
  return offsets;
}

describe('a recording that is cut off', () => {
  it('at any byte, gives what came before', () => {
    const offsets = chunkOffsets(small);
    let fewest = 0;
    for (let length = 0; length < small.length; length++) {
      const result = use(small.subarray(0, length));
      if (length < headerLength) {
        expect('error' in result && result.error).toMatch(
          /is not a recording of kdbg|first line is (?:cut off|damaged)/,
        );
        continue;
      }
      if ('error' in result) throw new Error(`${length}: ${result.error}`);
      expect(result.commands).toBeGreaterThanOrEqual(fewest);
      fewest = result.commands;
      const index = offsets.findIndex((offset, i) => offset <= length && length < (offsets[i + 1] ?? small.length));
      if (length === headerLength || offsets.includes(length)) expect(result.notices).toMatch(/was not ended/);
      else expect(result.notices).toMatch(new RegExp(`is cut off in chunk ${index} \\(at byte ${offsets[index]}\\): `));
    }
    expect(fewest).toBe(COMMANDS);
    expect(use(small)).toEqual({ commands: COMMANDS, notices: '' });
  });
});

describe('a recording with a wrong byte', () => {
  it('anywhere, gives no wrong answer and says where it is', () => {
    const offsets = chunkOffsets(small);
    for (let at = 0; at < small.length; at++) {
      const bytes = Buffer.from(small);
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      const result = use(bytes);
      if (at < headerLength) {
        if (!('error' in result))
          expect([result.commands, result.notices]).toEqual([0, expect.stringMatching(/chunk 0/)]);
        continue;
      }
      if ('error' in result) throw new Error(`${at}: ${result.error}`);
      const index = offsets.findLastIndex((offset) => offset <= at);
      expect(result.notices).toContain(`chunk ${index} (at byte ${offsets[index]}): `);
      expect(result.commands).toBeLessThanOrEqual(COMMANDS);
    }
  });

  it('does not verify', () => {
    const bytes = Buffer.from(small);
    const at = (chunkOffsets(small)[3] as number) + 60;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(verify(path)).toMatchObject({ ok: false, chunks: 3 });
    expect(verify(path).problems).toEqual([
      expect.stringMatching(/is damaged: chunk 3 .*hash does not match; the last/),
    ]);
    writeFileSync(path, small);
    expect(verify(path)).toMatchObject({ ok: true, commands: COMMANDS });
  });

  it('of 10,000 kinds is bounded and never wrong', () => {
    const random = seededRandom(4);
    const started = performance.now();
    for (let i = 0; i < 10_000; i++) use(mutate(pristine, random));
    expect(performance.now() - started).toBeLessThan(25_000);
  });
});

describe('a recording made to harm', () => {
  const header = small.subarray(0, headerLength);
  /** A file of these chunks, with a right chain. */
  const file = (...chunks: readonly (readonly ['D' | 'J', Uint8Array, number?])[]): Buffer => {
    let chain = firstChain(header);
    const parts: Uint8Array[] = [header];
    for (const [type, raw, items = 1] of chunks) {
      const chunk = encodeChunk(type, items, raw, chain, 'brotli');
      parts.push(...chunk.bytes);
      chain = chunk.chain;
    }
    return Buffer.concat(parts);
  };
  const journal = (...lines: readonly unknown[]): readonly ['J', Uint8Array] => [
    'J',
    Buffer.from(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')),
  ];
  const noticesOf = (bytes: Uint8Array): string => {
    writeFileSync(path, bytes);
    const recording = openRecording(path);
    recording.close();
    return recording.notices.join('\n');
  };
  let before: number;
  beforeAll(() => {
    before = process.memoryUsage().arrayBuffers;
  });

  it.each<[string, readonly unknown[], RegExp]>([
    ['no JSON', ['{'], /a journal line is not JSON: \{/],
    ['no object', ['7'], /a journal line is no object: 7/],
    ['no kind', [{}], /has no kind/],
    ['control characters', ['\u001b[2J'], /is not JSON: \?\[2J/],
    [
      'a page of a content that is not there',
      [{ k: 'pages', space: 'virtual', runs: [['0000000000001000', 1, 1]] }],
      /names content 1 before it is there/,
    ],
    [
      'a run past the contents',
      [{ k: 'pages', space: 'virtual', runs: [['0000000000001000', 0, 2 ** 40]] }],
      /kind "pages" is malformed/,
    ],
    ['an address within a page', [{ k: 'pages', space: 'virtual', runs: [['0000000000001001', 0, 1]] }], /malformed/],
    ['another space', [{ k: 'faults', space: 'user', reason: 'io', runs: [] }], /malformed/],
    ['another reason', [{ k: 'faults', space: 'virtual', reason: 'bored', runs: [] }], /malformed/],
    [
      'a negative count',
      [{ k: 'faults', space: 'virtual', reason: 'io', runs: [['0000000000001000', -1]] }],
      /malformed/,
    ],
    ['a file of nothing', [{ k: 'file', path: '/x' }], /kind "file" is malformed/],
    ['a file of contents that are not there', [{ k: 'file', path: '/x', data: [7] }], /names content 7/],
    ['output of contents that are not there', [{ k: 'output', data: [7], lines: 1 }], /names content 7/],
    [
      'a part that is not there',
      [{ k: 'part', space: 'virtual', address: '0000000000001001', data: 3 }],
      /names content 3/,
    ],
    ['a time that is none', [{ k: 'command', line: 'ps', at: 'noon' }], /malformed/],
    ['a capability that is none', [{ k: 'capabilities', list: [{ name: 1 }] }], /malformed/],
    [
      'more answers than memory',
      [{ k: 'faults', space: 'virtual', reason: 'io', runs: [['0000000000001000', 2 ** 27]] }],
      /more than 4000000 answers/,
    ],
  ])('by %s is refused from there on', (_name, lines, expected) => {
    expect(noticesOf(file(journal(...lines)))).toMatch(expected);
  });

  it('skips what a newer writer may add', () => {
    const bytes = file(
      journal({ k: 'step', goal: 'find the owner' }, { k: 'command', line: 'ps', at: 1, color: 'red' }),
      journal({ k: 'close', at: 2 }),
    );
    const chunks = file(['X' as 'J', Buffer.from('of another kind')], journal({ k: 'close', at: 2 }));
    expect([noticesOf(bytes), noticesOf(chunks)]).toEqual(['', '']);
  });

  it('by a small chunk that becomes large is refused before it is large', () => {
    const bomb = brotliCompressSync(Buffer.alloc(64 * 1024 * 1024), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
    });
    const bytes = file(['J', Buffer.alloc(200_000, '{"k":"x"}\n')]);
    const at = headerLength;
    const claim = (raw: number, stored: Uint8Array, compression: number): Buffer => {
      const head = Buffer.from(bytes.subarray(at, at + CHUNK_HEADER_LENGTH));
      head.writeUInt8(compression, 5);
      head.writeUInt32LE(stored.length, 8);
      head.writeUInt32LE(raw, 12);
      return Buffer.concat([header, chained(head, stored), stored]);
    };
    expect(noticesOf(claim(20_000, bomb, 2))).toMatch(/does not decompress/);
    expect(noticesOf(claim(1_000_000, gzipSync(Buffer.alloc(64 * 1024 * 1024)), 1))).toMatch(/does not decompress/);
    expect(noticesOf(claim(CHUNK_RAW_MAX + 1, bomb, 2))).toMatch(/its lengths are impossible/);
    expect(noticesOf(claim(20_000, bomb, 9))).toMatch(/its compression 9 is not known/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(400 * 1024 * 1024);
  });

  it('by contents that lie about their lengths fails the read, and only that', () => {
    const body = Buffer.from(packContents([pageOf(1), pageOf(2)]));
    body.writeUInt32LE(0xffff_ff00, 0);
    const bytes = file(
      ['D', body, 2],
      journal(
        { k: 'pages', space: 'virtual', runs: [['ffff888000001000', 1, 2]] },
        { k: 'file', path: '/x', data: [2] },
      ),
      ['D', packContents([new Uint8Array(10)])],
      journal({ k: 'pages', space: 'virtual', runs: [['ffff888000004000', 3, 1]] }, { k: 'close', at: 1 }),
    );
    writeFileSync(path, bytes);
    const { backend, close, notices } = openRecording(path);
    expect(notices).toEqual([]);
    const answers = backend.memory?.read([request(BASE), request(0xffff888000004000n), request(BASE + 0x1000n)]) ?? [];
    expect(answers.map((answer) => 'reason' in answer && `${answer.reason}: ${answer.detail}`)).toEqual([
      expect.stringMatching(/^io: .*chunk 0 \(at byte \d+\) is damaged: item 0 ends after the chunk$/),
      'io: content 3 is no page',
      expect.stringMatching(/^io: .*chunk 0/),
    ]);
    expect(backend.files?.read('/x')).toMatchObject({ ok: false, failure: { reason: 'io' } });
    expect(close).toBeTypeOf('function');
    backend.close();
    expect(verify(path)).toMatchObject({ ok: false, problems: [expect.stringMatching(/chunk 0/)] });
  });

  it('by the same page ten thousand times over is still read in time', () => {
    const line = { k: 'pages', space: 'virtual', runs: Array.from({ length: 4000 }, () => ['ffff888000001000', 0, 1]) };
    writeFileSync(path, file(journal(...Array.from({ length: 100 }, () => line), { k: 'close', at: 1 })));
    const started = performance.now();
    const recording = openRecording(path);
    for (let i = 0; i < 10_000; i++) recording.backend.memory?.read([request(BASE)]);
    expect(performance.now() - started).toBeLessThan(5000);
    recording.close();
  });
});

/** The chunk header with the chain that belongs to it. */
function chained(head: Buffer, stored: Uint8Array): Buffer {
  chainOf(firstChain(small.subarray(0, headerLength)), head, stored).copy(head, 20);
  return head;
}

describe('what is no recording', () => {
  it.each<[string, string | undefined, RegExp]>([
    ['nothing', '', /is not a recording of kdbg/],
    ['another file', '\u007fELF and more', /is not a recording of kdbg/],
    ['a line without an end', `{"kdbg":1,${' '.repeat(100_000)}`, /its first line is cut off/],
    ['a line that is no JSON', '{"kdbg":1,\n', /its first line is damaged/],
    ['a line without a version', '{"kdbg":"one"}\n', /says no version/],
    [
      'a newer format',
      '{"kdbg":7,"minReader":7,"tool":"kdbg 9.0\\u001b[2J"}\n',
      /written by kdbg 9\.0\?\[2J in a format \(7\) newer than this kdbg reads \(2\)/,
    ],
  ])('such as %s is refused', (_name, text, expected) => {
    writeFileSync(path, text ?? '');
    expect(() => openRecording(path)).toThrow(expected);
    expect(() => verify(path)).toThrow(expected);
  });

  it('such as a missing file, a folder or a device is refused', () => {
    expect(() => openRecording(`${path}.none`)).toThrow(/no such file/);
    expect(() => openRecording(folder.path)).toThrow(/is not a file/);
    expect(() => openRecording('/dev/null')).toThrow(/is not a file/);
  });

  it('but a newer format that this reader may read is read', () => {
    writeFileSync(path, '{"kdbg":8,"minReader":1}\n');
    const recording = openRecording(path);
    expect([recording.header.version, recording.commands.length]).toEqual([8, 0]);
    recording.close();
  });
});
