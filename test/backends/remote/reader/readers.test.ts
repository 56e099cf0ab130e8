/**
 * Each of the three readers in each shell of this machine: what they answer is what the files hold.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Reader, ReaderKind } from '../../../../src/backends/remote/reader.ts';
import { Fault } from '../../../../src/core/memory/fault.ts';
import { eventually, type FarSide, farSide, kcoreBytes, processesOf, RAM, SEGMENTS } from './far-side.ts';

/** A list of 100 nodes in RAM, the next pointer at 8; the last one leads to the first. */
const NODES = Array.from({ length: 100 }, (_, i) => RAM + 0x1000n + BigInt(i) * 0x100n);
const WORDS = new Map<bigint, bigint>(NODES.map((node, i) => [node + 8n, NODES[(i + 1) % NODES.length] as bigint]));
const BROKEN = RAM + 0x2_0000n;
WORDS.set(BROKEN + 8n, 0x1234n);
/** Levels of pointers with a flag in the low bit, then NULL. */
WORDS.set(RAM + 0x3_0010n, (RAM + 0x3_1000n) | 1n);
WORDS.set(RAM + 0x3_0ff8n, RAM + 0x3_2000n);
WORDS.set(RAM + 0x3_2000n, 0n);

const SHELLS: readonly (readonly [string, readonly string[]])[] = [
  ['dash', ['dash']],
  ['bash', ['bash']],
  ['bash login', ['bash', '-l']],
  ['busybox', ['busybox', 'sh']],
];
const CASES: readonly (readonly [ReaderKind, string])[] = [
  ['perl', 'dash'],
  ['python3', 'dash'],
  ['sh', 'dash'],
  ['sh', 'bash'],
  ['sh', 'busybox only'],
];

let far: FarSide;
let onlyBusybox: string;

beforeAll(() => {
  far = farSide(WORDS);
  const applets = join(far.folder, 'applets');
  mkdirSync(applets);
  for (const name of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).split('\n')) {
    if (name !== '') symlinkSync('/bin/busybox', join(applets, name));
  }
  onlyBusybox = far.script('only-busybox', `#!/bin/sh\nPATH=${applets} exec ${applets}/sh\n`);
});
afterAll(() => far.close());

function argvOf(shell: string): readonly string[] {
  // The program `sh` that the reader runs in is the first in the PATH: a folder in front of it says which.
  if (shell === 'busybox only') return [onlyBusybox];
  const folder = join(far.folder, `as-${shell}`);
  if (!existsSync(folder)) {
    mkdirSync(folder);
    symlinkSync(execFileSync('which', [shell], { encoding: 'utf8' }).trim(), join(folder, 'sh'));
  }
  return [far.script(`run-${shell}`, `#!/bin/sh\nPATH=${folder}:$PATH exec sh\n`)];
}

const range = (address: bigint, length: number, space: 'virtual' | 'physical' = 'virtual') =>
  ({ space, address, length, what: 'test' }) as const;

test.each(SHELLS)('a reader starts from %s', async (_name, argv) => {
  const reader = await far.start(argv);
  expect(reader.facts.kind).toBe('perl');
  expect(reader.facts.release).toBe(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  expect(reader.facts.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(reader.facts.pids.length).toBeGreaterThan(0);
  reader.close();
});

describe.each(CASES)('%s in %s', (kind, shell) => {
  let reader: Reader;
  const file = kcoreBytes(WORDS);

  beforeAll(async () => {
    reader = await far.start(argvOf(shell), { kind });
  });
  afterAll(() => reader.close());

  test('says what it is', () => {
    expect(reader.facts.kind).toBe(kind);
    expect(reader.facts.uid).toBe(process.getuid?.());
  });

  test('reads memory: any place, any length, both spaces, across what a frame holds', async () => {
    const [image, ram, vmalloc] = SEGMENTS;
    const ranges = [
      range(image.virtual, 8),
      range(ram.virtual + 0x1003n, 4099),
      range(vmalloc.virtual + 0x3fffn, 1),
      range(0x1000n, 16, 'physical'),
      range(image.physical + 0x10n, 24, 'physical'),
      range(image.virtual + 1n, 0x18_0001),
    ];
    const answers = await reader.request({ op: 'read', ranges });
    const at = (offset: bigint, length: number) => file.subarray(Number(offset), Number(offset) + length);
    const expected = [
      at(image.offset, 8),
      at(ram.offset + 0x1003n, 4099),
      at(vmalloc.offset + 0x3fffn, 1),
      at(ram.offset + 0x1000n, 16),
      at(image.offset + 0x10n, 24),
      at(image.offset + 1n, 0x18_0001),
    ];
    for (const [i, bytes] of expected.entries()) {
      expect(answers[i]).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(Buffer.from(answers[i] as Uint8Array), bytes), `range ${i}`).toBe(0);
    }
  });

  test('answers what is nowhere with a fault', async () => {
    const [image, ram] = SEGMENTS;
    const answers = await reader.request({
      op: 'read',
      ranges: [range(0x10n, 8), range(ram.virtual + ram.length - 4n, 8), range(image.virtual, 8)],
    });
    expect(answers.map((answer) => (answer instanceof Fault ? answer.reason : answer.length))).toEqual([
      'unmapped',
      'unmapped',
      8,
    ]);
  });

  test('answers many ranges', async () => {
    const ranges = Array.from({ length: kind === 'sh' ? 250 : 1000 }, (_, i) => range(RAM + BigInt(i) * 0x100n, 8));
    const answers = await reader.request({ op: 'read', ranges });
    expect(answers).toHaveLength(ranges.length);
    for (const [i, answer] of answers.entries()) {
      const place = Number(SEGMENTS[1].offset) + i * 0x100;
      expect(Buffer.from(answer as Uint8Array).readBigUInt64LE()).toBe(file.readBigUInt64LE(place));
    }
  });

  test('reads files: text, bytes with NULs, long ones, cut ones', async () => {
    const paths = ['/proc/version', `/proc/${process.pid}/cmdline`, '/proc/kallsyms', `/proc/${process.pid}/comm`];
    const files = await reader.request({ op: 'files', paths, limit: 64 << 20 });
    for (const [i, path] of paths.entries()) {
      const result = files[i];
      if (result === undefined || result === 'same' || !result.ok) throw new Error(JSON.stringify(result));
      expect(sha256(result.bytes), path).toBe(sha256(readFileSync(path)));
      expect(result.truncated).toBe(false);
    }
    for (const limit of [100, 61_440, 100_000]) {
      const [cut] = await reader.request({ op: 'files', paths: ['/proc/kallsyms'], limit });
      if (cut === undefined || cut === 'same' || !cut.ok) throw new Error(JSON.stringify(cut));
      expect([cut.bytes.length, cut.truncated]).toEqual([limit, true]);
      expect(sha256(cut.bytes)).toBe(sha256(readFileSync('/proc/kallsyms').subarray(0, limit)));
    }
  });

  test('says why a file cannot be read', async () => {
    const paths = [
      '/proc/none',
      '/proc/4194305/stat',
      '/etc/passwd',
      '/proc/../etc/passwd',
      '/sys',
      '/proc/self/root/etc/passwd',
    ];
    const files = await reader.request({ op: 'files', paths, limit: 100 });
    const reasons = files.map((result) => (result !== 'same' && !result.ok ? result.failure.reason : 'read'));
    expect(reasons).toEqual(['absent', 'absent', 'denied', 'denied', 'denied', 'denied']);
  });

  test('does not send again what is known', async () => {
    const known = sha256(readFileSync('/proc/kallsyms'));
    const before = reader.wire.received;
    const files = await reader.request({
      op: 'files',
      paths: ['/proc/kallsyms', '/proc/version', '/proc/none', '/proc/kallsyms'],
      limit: 64 << 20,
      known: [known, '0'.repeat(64), known, known],
    });
    expect(files.map((result) => (result === 'same' ? 'same' : result.ok))).toEqual(['same', true, false, 'same']);
    expect(reader.wire.received - before).toBeLessThan(2000);
  });

  test('reads ranges of programs, and of nothing else', async () => {
    const program = process.execPath;
    const whole = readFileSync(program);
    const ranges = [
      { offset: 0, length: 64 },
      { offset: 4097, length: 2_500_001 },
      { offset: 12, length: 0 },
      { offset: whole.length - 5, length: 5 },
    ];
    const read = (path: string, wanted = ranges) => reader.request({ op: 'program', path, ranges: wanted });
    const result = await read(program);
    if (!result.ok) throw new Error(result.failure.detail);
    expect(result.bytes.map(sha256)).toEqual(
      ranges.map(({ offset, length }) => sha256(whole.subarray(offset, offset + length))),
    );
    expect(await read(program, [{ offset: whole.length - 5, length: 6 }])).toMatchObject({ ok: false });
    const link = join(far.folder, `link-${kind}-${shell.replace(' ', '-')}`);
    symlinkSync('/sys/kernel/tracing/trace_pipe', link);
    const paths = ['/none', '/etc/passwd', '/etc', far.kcore, link, '/dev/null', '/proc/kcore', '/bin/../bin/ls', 'ls'];
    for (const path of paths) expect(await read(path, [{ offset: 0, length: 8 }]), path).toMatchObject({ ok: false });
    expect(await read('/none')).toMatchObject({ failure: { reason: 'absent' } });
    // What was read from before is read from still.
    expect((await reader.request({ op: 'read', ranges: [range(RAM, 64)] }))[0]).toHaveLength(64);
  });

  test('lists directories and reads links', async () => {
    const listed = await reader.request({ op: 'list', path: '/proc/sys/kernel' });
    if (!listed.ok) throw new Error(JSON.stringify(listed));
    expect([...listed.names].sort()).toEqual(readdirSync('/proc/sys/kernel').sort());
    expect(await reader.request({ op: 'list', path: '/proc/none' })).toMatchObject({ failure: { reason: 'absent' } });
    expect(await reader.request({ op: 'link', path: `/proc/${process.pid}/cwd` })).toBe(process.cwd());
    expect(await reader.request({ op: 'link', path: '/proc/version' })).toBeUndefined();
  });

  test('walks a list', async () => {
    const walk = { start: NODES[0] as bigint, nextOffset: 8, end: undefined, limit: 1000, what: 'test' };
    const ranges = [
      { offset: 0, length: 8 },
      { offset: -0x10, length: 16 },
    ];
    const looped = await reader.request({ op: 'follow', walk: { ...walk, ranges } });
    expect(looped.stopped).toBe('loop');
    expect(looped.nodes.map(({ address }) => address)).toEqual(NODES);
    for (const { address, bytes } of looped.nodes) {
      expect(Buffer.from(bytes[0] as Uint8Array).readBigUInt64LE()).toBe(address);
      expect(bytes[1]).toHaveLength(16);
    }
    const ended = await reader.request({ op: 'follow', walk: { ...walk, ranges: [], end: NODES[5] } });
    expect([ended.stopped, ended.nodes.length]).toEqual(['end', 5]);
    const cut = await reader.request({ op: 'follow', walk: { ...walk, ranges: [], limit: 3 } });
    expect([cut.stopped, cut.nodes.length]).toEqual(['limit', 3]);
    const faulted = await reader.request({ op: 'follow', walk: { ...walk, start: BROKEN, ranges: [] } });
    expect([faulted.stopped, faulted.nodes.length, faulted.fault?.reason]).toEqual(['fault', 2, 'unmapped']);
    expect(faulted.fault?.address).toBe(0x123cn);
  });

  test('goes along pointers', async () => {
    const way = { start: RAM + 0x3_0000n, offsets: [0x10, -8, 0, 8], flags: 3, what: 'test' };
    const found = await reader.request({ op: 'chase', way });
    expect(found).toEqual({ pointers: [(RAM + 0x3_1000n) | 1n, RAM + 0x3_2000n, 0n] });
    const faulted = await reader.request({ op: 'chase', way: { ...way, start: BROKEN, offsets: [8, 0x10] } });
    expect(faulted.pointers).toEqual([0x1234n]);
    expect(faulted.fault?.address).toBe(0x1244n);
  });

  test('changes nothing but tracefs', async () => {
    const write = { kind: 'write', path: join(far.folder, 'written'), text: 'x' } as const;
    const mkdir = { kind: 'mkdir', path: '/sys/kernel/tracing/../made' } as const;
    const steps = [{ kind: 'rmdir', path: far.folder } as const, write];
    expect(await reader.request({ op: 'control', steps: [write] })).toMatchObject({
      reason: 'denied',
      path: write.path,
    });
    expect(await reader.request({ op: 'control', steps: [mkdir] })).toMatchObject({ reason: 'denied' });
    expect(await reader.request({ op: 'control', steps })).toMatchObject({ path: far.folder });
    expect(existsSync(write.path)).toBe(false);
  });

  test('sends the kernel log as it flows, no further than it was taken, and stops when told', async () => {
    if (!existsSync('/dev/kmsg')) return;
    const stream = reader.open('/dev/kmsg');
    const got: Uint8Array[] = [];
    const ended = new Promise<string>((resolve) => {
      stream.onEnd = resolve;
    });
    stream.onData = (bytes) => {
      got.push(bytes);
      stream.taken(bytes.length);
    };
    if (!(await Promise.race([eventually(() => got.length > 2, 5000), ended]))) return;
    // Requests go on beside it.
    const answers = await reader.request({ op: 'read', ranges: [range(RAM, 0x1_0000)] });
    expect(answers[0]).toHaveLength(0x1_0000);
    stream.close();
    expect(await reader.request({ op: 'link', path: `/proc/${process.pid}/cwd` })).toBe(process.cwd());
  });

  test('runs a command of the words it is given, and says how it ended', async () => {
    const run = (...words: readonly string[]) => output(reader, words);
    if (kind === 'sh') {
      expect(() => reader.open('echo', { words: ['echo'], pidFiles: [] })).toThrow(/cannot run a command/);
      return;
    }
    expect(await run('printf', '%s|', 'a b', '$(id)', "';x", '', 'ä\n')).toEqual(["a b|$(id)|';x||ä\n|", 'exit 0']);
    expect(await run('sh', '-c', 'echo out; echo err >&2; exit 3')).toEqual(['out\nerr\n', 'exit 3']);
    expect(await run('sh', '-c', 'kill -9 $$')).toEqual(['', 'signal 9']);
    expect((await run('no-such-program-here'))[1]).toBe('exit 127');
    // It has no input, and its output is not waited for when it has gone.
    expect(await run('sh', '-c', 'cat; sleep 20 & echo done')).toEqual(['done\n', 'exit 0']);
    const [many, how] = await run('sh', '-c', 'i=0; while [ $i -lt 100000 ]; do echo 0123456789; i=$((i+1)); done');
    expect([many?.length, how]).toEqual([1_100_000, 'exit 0']);
    const file = join(far.folder, 'pid');
    expect((await output(reader, ['true'], [file]))[1]).toMatch(/not permitted/);
  });

  test('ends a command that nobody wants any more', async () => {
    if (kind === 'sh') return;
    const mark = `kdbg-test-run-${kind}-${process.pid}`;
    const other = await far.start(argvOf(shell), { kind });
    const stream = other.open('sleep', { words: ['sh', '-c', 'sleep 60; :', mark], pidFiles: [] });
    expect(await eventually(() => running(mark), 10_000)).toBe(true);
    stream.close();
    expect(await eventually(() => !running(mark), 10_000)).toBe(true);
    // And one that is left when the stream to the reader ends.
    other.open('sleep', { words: ['sh', '-c', 'sleep 60; :', mark], pidFiles: [] });
    expect(await eventually(() => running(mark), 10_000)).toBe(true);
    other.close();
    expect(await eventually(() => !running(mark), 10_000)).toBe(true);
  });

  test('answers requests that were sent at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => reader.request({ op: 'read', ranges: [range(RAM + BigInt(i * 8), 8)] })),
    );
    for (const [i, [bytes]] of answers.entries()) {
      expect(Buffer.from(bytes as Uint8Array).readBigUInt64LE()).toBe(RAM + BigInt(i * 8));
    }
  });
});

/** What a command printed, and how it ended. */
async function output(
  reader: Reader,
  words: readonly string[],
  pidFiles: readonly string[] = [],
): Promise<readonly [string, string]> {
  const stream = reader.open('command', { words, pidFiles });
  const got: Uint8Array[] = [];
  stream.onData = (bytes) => {
    got.push(bytes);
    stream.taken(bytes.length);
  };
  const how = await new Promise<string>((resolve) => {
    stream.onEnd = resolve;
  });
  return [Buffer.concat(got).toString(), how];
}

/** A process with this word in its command line. */
function running(mark: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(mark);
    } catch {
      return false;
    }
  });
}

test.each(CASES)('%s in %s leaves nothing behind', async (kind, shell) => {
  const mark = `KDBG_TEST_MARK=${kind}${shell.replace(' ', '')}${process.pid}`;
  const argv = ['env', mark, ...argvOf(shell)];
  const reader = await far.start(argv, { kind });
  expect(processesOf(mark).length).toBeGreaterThan(0);
  await reader.request({ op: 'read', ranges: [range(RAM, 8)] });
  reader.close();
  await eventually(() => processesOf(mark).length === 0, 3000);
  expect(processesOf(mark)).toEqual([]);
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
